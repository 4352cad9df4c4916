"""Honest models, plans and trainings (articles 十五 to 十七): a nomination on its way to a red list, a plan, a training."""

from __future__ import annotations

from datetime import timedelta

from hub_client import FIRM, Desk, fresh, say, this_day

OFFICER = Desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG")
SECOND = Desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", officer="second-officer")
# A firm without anything against it.
CLEAN = "91630100MA7XK2P38N"
PROVINCE = Desk("commerce", "ONGOING_SUPERVISION", "SW-JG")
NOMINATE = """
mutation($c: USCC!) { nominateHonestModel(subject: $c, nominatorKind: CAMPAIGN, nominator: "诚信兴商宣传月",
  deeds: "连续五年无投诉，主动公开服务承诺") { number state subjectCode } }
"""
ENDORSE = 'mutation($n: String!) { endorseHonestModel(number: $n, opinion: "事迹属实") { state endorsement { officer } } }'
WITHDRAW = 'mutation($n: String!) { withdrawHonestModel(number: $n, reason: "演示结束") { state endReason } }'
PROPOSE = """
mutation($n: String!, $l: String!) { proposeHonestModel(number: $n, listCode: $l) {
  state listing { number state definition { name color } } } }
"""
DECLINE = 'mutation($n: String!) { declineListing(number: $n, reason: "演示结束") { state } }'
LISTS = "{ creditLists(color: RED) { code name recognizer { name } } }"
PLAN = """
mutation($t: String!, $b: Date!, $e: Date!) { draftImplementationPlan(title: $t, begins: $b, ends: $e, responsible: "马某",
  post: "副局长", tasks: [{title: "凡办必查全覆盖", responsible: "市场科", dueOn: $e}, {title: "信用承诺公示", responsible: "流通科",
  dueOn: $e}]) { number state openTasks } }
"""
ADOPT = "mutation($n: String!, $d: String!) { adoptImplementationPlan(number: $n, documentNumber: $d) { state dueOn } }"
RECORD = """
mutation($n: String!, $t: Int!) { recordPlanTask(number: $n, task: $t, status: DONE) {
  openTasks tasks { place title status doneOn } } }
"""
COMPLETE = "mutation($n: String!) { completeImplementationPlan(number: $n) { state } }"
LOG = """
mutation($d: Date!) { logTraining(topic: "信用修复政策培训", organiser: "西宁市商务局", place: "西宁", heldOn: $d, hours: 8,
  officers: 12) { number state } }
"""
ATTEND = """
mutation($n: String!, $c: USCC!) { recordTrainingAttendance(number: $n, subject: $c, attendee: "经办人", hours: 8) {
  attendances { subjectCode hours certificate } } }
"""
CLOSE = "mutation($n: String!) { closeTraining(number: $n) { state } }"
READ = "query($n: String!) { case(number: $n) { number state handler } }"


def main() -> None:
    """Nominate, plan, train."""
    found = OFFICER.ask(LISTS)["creditLists"]
    red = next(one["code"] for one in found if one["recognizer"]["name"] == "青海省商务厅")
    barred = OFFICER.ask(NOMINATE, c=FIRM)["nominateHonestModel"]
    say("推荐 · nominated", barred)
    say("有失信记录的不予通过 · barred by its records (R8.3)", SECOND.refused(ENDORSE, n=barred["number"]))
    say("撤回 · withdrawn", OFFICER.ask(WITHDRAW, n=barred["number"])["withdrawHonestModel"])

    made = OFFICER.ask(NOMINATE, c=CLEAN)["nominateHonestModel"]
    number = made["number"]
    say("推荐 · nominated", made)
    say("须第二人审核 · a second person must review", OFFICER.refused(ENDORSE, n=number))
    say("审核通过 · endorsed", SECOND.ask(ENDORSE, n=number)["endorseHonestModel"])
    say("他单位看不到 · nobody else sees it yet", PROVINCE.ask(READ, n=number)["case"])
    say("名单代码未知 · no such list", OFFICER.refused(PROPOSE, n=number, l="NO-SUCH-LIST"))
    proposed = OFFICER.ask(PROPOSE, n=number, l=red)["proposeHonestModel"]
    say("提名红名单,公示由名单流程办理 · proposed; notice and recognition follow there", proposed)
    # So that the firm can be nominated again by the next run.
    say("演示终止 · ended here", OFFICER.ask(DECLINE, n=proposed["listing"]["number"])["declineListing"])

    ends = this_day() + timedelta(days=90)
    given = {"t": fresh("西宁市商务信用实施方案"), "b": str(this_day()), "e": str(ends)}
    plan = OFFICER.ask(PLAN, **given)["draftImplementationPlan"]
    say("实施方案 · a plan", plan)
    number = plan["number"]
    say("印发 · adopted", OFFICER.ask(ADOPT, n=number, d=fresh("宁商"))["adoptImplementationPlan"])
    say("任务未完成 · tasks are open", OFFICER.refused(COMPLETE, n=number))
    for task in (1, 2):
        say(f"任务 {task} 完成", OFFICER.ask(RECORD, n=number, t=task)["recordPlanTask"])
    say("方案完成 · completed", OFFICER.ask(COMPLETE, n=number)["completeImplementationPlan"])
    say("省厅可见 · seen by the province", PROVINCE.ask(READ, n=number)["case"])

    training = OFFICER.ask(LOG, d=str(this_day()))["logTraining"]
    say("培训 · a training", training)
    attended = OFFICER.ask(ATTEND, n=training["number"], c=FIRM)["recordTrainingAttendance"]
    assert attended["attendances"][0]["certificate"] == f"{training['number']}/001"
    say("参训证明可用于信用修复 · a certificate for repair", attended)
    say("办结 · closed", OFFICER.ask(CLOSE, n=training["number"])["closeTraining"])


if __name__ == "__main__":
    main()
