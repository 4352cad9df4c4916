"""What is shown of a person's data at the level MASKED: enough to recognize it for who knows it already."""

from schema.divisions import DIVISIONS
from schema.places import read_places

HOME = "青海省"


def mask_name(name: str) -> str:
    """The first character: 马得林 gives 马**. It need not be a surname: many names in Qinghai have none."""
    return name[:1] + "*" * (len(name) - 1) if len(name) > 1 else "*" * len(name)


def mask_resident_id(number: str) -> str:
    """The first and the last character. The usual first six would tell the birthplace."""
    return number[:1] + "*" * (len(number) - 2) + number[-1:] if len(number) > 2 else "*" * len(number)


def mask_phone(number: str) -> str:
    """The last four characters; nothing of a number that has no more than these."""
    return "*" * (len(number) - 4) + number[-4:] if len(number) > 4 else "*" * len(number)


def mask_address(address: str) -> str:
    """The address down to the county; nothing of one that does not begin with a known region."""
    return address[: read_places(address, formal=True).end] + "***"


def home_pattern() -> str:
    """A regular expression for the division that an address in this province begins with, as far as its county.

    Only official names count, each county within its prefecture; of any other address it matches nothing. A suffix
    alone would not do: 格尔木市昆仑路阳光小区 ends in 区 too.
    """
    words = DIVISIONS.split()
    prefectures: dict[str, list[str]] = {}
    for word in words[words.index(f"#{HOME}") + 1 :]:
        if word.startswith("#"):
            break
        if word.startswith("@"):
            counties = prefectures.setdefault(word[1:], [])
        else:
            counties.append(word)
    within = [f"{name}(?:{'|'.join(inside)})?" for name, inside in prefectures.items()]
    every = [county for inside in prefectures.values() for county in inside]
    return f"^(?:{HOME})?(?:{'|'.join(within + every)})?"
