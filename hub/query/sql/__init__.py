"""The parts of a statement, in the order in which each knows only those before it.

draft       what all parts share while a statement is written: names, parameters, rights
visibility  which rows of a table are there for this caller, at the moment asked for
reach       which rows a field reaches: the table, the join with the parent's row, the tests of the arguments
json_rows   rows that are JSON: brought along by the hub, or kept in a row of the store
related     one row, or a list of rows, that belong to a row
pages       a page of rows, its cursors among them
objects     a row as a JSON object: here the parts meet, since the rows that a field reaches are objects again
roots       a root field as a sub-select, with whose data it discloses
"""
