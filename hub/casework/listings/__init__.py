"""Articles 八 and 九: red, watch and black lists with their exits, and the measures that rest on them."""
