// The bar above GraphiQL: who asks, what for, and how much this caller sees.
import { useEditorContext, useSchemaStore } from "@graphiql/react";
import { isInterfaceType, isObjectType } from "graphql";
import { useEffect, useMemo, useRef, useState } from "react";

import { holderOf } from "./token.js";

function Field({ zh, en, wide, children }) {
  return (
    <label className={wide ? "hub-field hub-wide" : "hub-field"}>
      <span>
        {zh} <small>{en}</small>
      </span>
      {children}
    </label>
  );
}

function PurposeOptions({ purposes }) {
  return purposes.map(({ code, label }) => (
    <option key={code} value={code}>
      {label && label !== code ? `${label} ${code}` : code}
    </option>
  ));
}

function CaseFields({ matter, caseNumber, amend }) {
  const typed = { autoComplete: "off", spellCheck: false };
  return (
    <>
      <Field zh="事项编码" en="matter">
        <input name="matter" {...typed} value={matter} onChange={(e) => amend({ matter: e.target.value })} />
      </Field>
      <Field zh="办件编号" en="case">
        <input name="case" {...typed} value={caseNumber} onChange={(e) => amend({ caseNumber: e.target.value })} />
      </Field>
    </>
  );
}

/** Forgets every answer on the page: they were given to somebody else, or for another purpose. */
function useForgetAnswers(identity) {
  const { tabs, updateActiveTabValues, responseEditor } = useEditorContext({ nonNull: true });
  const last = useRef(identity);
  useEffect(() => {
    if (last.current === identity || !responseEditor) return;
    last.current = identity;
    // In place: GraphiQL's only way to replace tabs, moveTab, lays the text that a tab keeps over the editor, and a tab
    // learns what was typed a tenth of a second later. Nothing is drawn from a tab's answer until it comes to the front.
    for (const tab of tabs) tab.response = null;
    updateActiveTabValues({ response: null });
    responseEditor.setValue("");
  });
}

function firstMessage(fetchError) {
  try {
    const [{ message, extensions }] = JSON.parse(fetchError).errors;
    return [extensions?.messageZh, message].filter(Boolean).join(" ");
  } catch {
    return String(fetchError);
  }
}

function Sight({ identity }) {
  const { schema, isFetching, fetchError } = useSchemaStore();
  useForgetAnswers(identity);
  const seen = useMemo(() => {
    if (!schema) return null;
    const types = Object.values(schema.getTypeMap()).filter(
      (type) => !type.name.startsWith("__") && (isObjectType(type) || isInterfaceType(type)),
    );
    return { types: types.length, fields: types.reduce((sum, type) => sum + Object.keys(type.getFields()).length, 0) };
  }, [schema]);
  if (fetchError) {
    return (
      <output className="hub-sight hub-refused" title={firstMessage(fetchError)}>
        {firstMessage(fetchError)}
      </output>
    );
  }
  if (isFetching) return <output className="hub-sight">读取模式… reading the schema…</output>;
  if (!seen) return <output className="hub-sight">请填写令牌和使用目的，再连接 enter a token and a purpose, then connect</output>;
  return (
    <output className="hub-sight" data-types={seen.types} data-fields={seen.fields}>
      可见 <b>{seen.types}</b> 类型 <small>types</small> · <b>{seen.fields}</b> 字段 <small>fields</small>
    </output>
  );
}

function Title() {
  return (
    <h1 className="hub-title">
      信用信息共享枢纽 <small>Credit sharing hub</small>
    </h1>
  );
}

/** In demo mode: any of the demo partners, each with its own purposes. */
export function DemoBar({ partners, caller, choose, act, amend }) {
  const partner = partners.find(({ id }) => id === caller.partner);
  return (
    <header className="hub-bar">
      <Title />
      <Field zh="单位" en="partner">
        <select name="partner" value={caller.partner} onChange={(e) => choose(e.target.value)}>
          {partners.map(({ id, name, className }) => (
            <option key={id} value={id}>
              {className} {name} ({id})
            </option>
          ))}
        </select>
      </Field>
      <Field zh="使用目的" en="purpose">
        <select name="purpose" value={caller.purpose} onChange={(e) => choose(caller.partner, e.target.value)}>
          <PurposeOptions purposes={partner?.purposes ?? []} />
        </select>
      </Field>
      <Field zh="经办人" en="officer">
        <select name="officer" value={caller.officer} onChange={(e) => act(partner, e.target.value)}>
          {(partner?.officers ?? []).map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </Field>
      <CaseFields matter={caller.matter} caseNumber={caller.caseNumber} amend={amend} />
      <Sight identity={`${caller.partner} ${caller.purpose}`} />
    </header>
  );
}

/**
 * Outside demo mode: the caller's own token, kept in this page's memory only, and a purpose that must be chosen.
 * Nothing is asked but as the bar says: matter and case count at once, another token or purpose from Connect on.
 */
export function TokenBar({ purposes, connect, disconnect, amend: amendCaller }) {
  const [draft, setDraft] = useState({ token: "", purpose: "", matter: "", caseNumber: "" });
  const [connected, setConnected] = useState("");
  const amend = (part) => {
    setDraft({ ...draft, ...part });
    amendCaller(part);
  };
  const change = (part) => {
    setDraft({ ...draft, ...part });
    setConnected("");
    disconnect();
  };
  const submit = (event) => {
    event.preventDefault();
    const token = draft.token.trim().replace(/^Bearer\s+/i, "");
    setConnected(`${token} ${draft.purpose}`);
    connect({ ...draft, ...holderOf(token), token });
  };
  return (
    <header className="hub-bar">
      <Title />
      <form className="hub-form" autoComplete="off" onSubmit={submit}>
        <Field zh="令牌" en="token" wide>
          <input
            name="token"
            className="hub-secret"
            autoComplete="off"
            spellCheck={false}
            required
            value={draft.token}
            onChange={(e) => change({ token: e.target.value })}
          />
        </Field>
        <Field zh="使用目的" en="purpose">
          <select name="purpose" required value={draft.purpose} onChange={(e) => change({ purpose: e.target.value })}>
            <option value="">请选择 choose…</option>
            <PurposeOptions purposes={purposes} />
          </select>
        </Field>
        <CaseFields matter={draft.matter} caseNumber={draft.caseNumber} amend={amend} />
        <button type="submit" disabled={!draft.token.trim() || !draft.purpose}>
          连接 Connect
        </button>
      </form>
      <Sight identity={connected} />
    </header>
  );
}
