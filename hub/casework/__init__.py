"""The policy's mechanisms: cases, moved by state machines that are data, by one engine that writes them.

The modules of this package are the engine: machine.py (what a table of states is), engine.py (what moves a case), work.py
(what a command works with), clock.py (what time does), new_calendar.py (what a new working calendar does to deadlines),
registry.py (what there is). Each package below is a mechanism, or a few that belong together, and says in its docstring
which articles of the policy it holds.

How to add a mechanism, say commitments (article 六):

1. Rules first. What law or policy fixes in numbers, wording or lists is a dated row in hub/rules/*.toml with source_doc
   and confirmed_by (empty while unconfirmed); pure functions over it stand in hub/rules/. Named deadlines are rows
   of deadlines.toml; working days come from `step.calendar` (hub.rules.calendar).
2. The machine: hub/casework/<mechanism>/machine.py declares a frozen dataclass of the details and a `Machine`:
   states, transitions with capability, parties, required inputs, guard, effect, deadline, rule numbers (R6.1 …).
   Guards and effects are pure functions (case, step); an effect returns `Effects`: members of the details that
   change, deadline, parties, deliveries to channels, facts (rows of record, list_entry …, new or changed), other
   cases to be opened. Export `MACHINES = (COMMITMENT,)`, and where a deadline in working days runs `COUNTED =
   {("COMMITMENT", state): …}`: how it is counted from its starting day in the details, by which new_calendar.py moves
   it when the calendar changes.
3. The commands, in commands.py beside it: `async def submit(work, given) -> Made`, exported as `COMMANDS =
   {"commitment.submit": submit}`. They read facts with the caller's rights (work.rows with hub.query.access) and
   write only by `engine.open_cases` and `engine.apply`. `Made(ids=(case.public_id,))` names what the payload is read
   from. `READINGS` are queries that are answered by rows of a type `@entity("rows:<name>", OPEN)`, read by the
   read-only role; `VIEWINGS` are those whose rows depend on who asks: they read with the caller's rights.
   One that only takes a step is `stepping(COMMITMENT, "submit")`.
   registry.py finds all of it; a declared command that nobody does, or the reverse, stops the start.
4. The vocabulary: schema/<mechanism>.py has the types: `@entity("case_file", "D33", only=("mechanism",
   ("COMMITMENT",)))` on a class that extends Case. Its fields are declared by schema/declaring.py: `detail` (a member
   of details), `rows` (an object or a list of objects in details), `withheld` (either, where it may name a person),
   `one` and `many` (relations, which hub/query/relations.py knows). Its commands are methods of a class that Mutation
   in schema/mutation.py extends, each under `_command = commands_of("commitment")`: `@_command("提交", "submit",
   "submit", capability)` declares commitment.submit; input types declare their fields with `supplied`. Add the value to
   Mechanism in schema/casework.py and the type to schema/build.py. Rows of case_file are shown by data class and
   scope like all others: PARTY holds for the partners in case_party.
5. Renew the golden files (`python -m tests.test_vocabulary`), and read the difference: it says who sees what.
6. Tests in tests/casework/, named for the rule (test_r6_4_…), over HTTP with the fixture `office` (tests/casework/desk.py:
   an empty store, a clock that the test sets, `office.desk(partner, purpose, matter, case).done(document, variables)`);
   guards and rules also as pure functions, at any date: time is a parameter everywhere.

Requests: all commands of a request are one transaction, done in the order of the document. With the header
Idempotency-Key a repetition is answered from what was made the first time. The payload is read after the commit, by
the one path and with the caller's rights; only then is the disclosure in the ledger and the answer on its way.

Rules of the house: no state changes but by `engine.apply`; no transition outside the table; `HubError` subclasses
for refusals; a case that the caller has no part in is answered like one that does not exist (CaseUnknown).
"""
