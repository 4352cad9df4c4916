// What the editors lack. A person who uses the keyboard alone, or hears the page, passes them: CodeMirror takes the Tab
// key for itself, in the answer too, and its fields have no names. And lines wrap: of a narrow editor the end of a
// comment would have to be scrolled to.
import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

const PASSES_ON = { Tab: false, "Shift-Tab": false };

export function Editors() {
  const { queryEditor, variableEditor, responseEditor } = useEditorContext({ nonNull: true });
  useEffect(() => {
    const named = [
      [queryEditor, "查询 query"],
      [variableEditor, "变量 variables"],
      [responseEditor, "答复 answer"],
    ];
    for (const [editor, name] of named) {
      editor?.addKeyMap(PASSES_ON);
      editor?.setOption("screenReaderLabel", name);
      editor?.setOption("lineWrapping", true);
    }
    return () => named.forEach(([editor]) => editor?.removeKeyMap(PASSES_ON));
  }, [queryEditor, variableEditor, responseEditor]);
  return null;
}
