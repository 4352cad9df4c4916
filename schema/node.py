"""Objects that can be fetched again by their opaque id."""

import strawberry

from schema.fields import governed
from schema.governance import ROW, Mask, Shape


@strawberry.interface(description="可按标识再次获取的对象 · An object that can be fetched again by its id")
class Node:
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
