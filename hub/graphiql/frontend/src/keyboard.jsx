// Lets a person who uses the keyboard alone, or hears the page, pass the editors: CodeMirror takes the Tab key for
// itself, in the answer too, and its fields have no names.
import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

const PASSES_ON = { Tab: false, "Shift-Tab": false };

export function KeyboardPaths() {
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
    }
    return () => named.forEach(([editor]) => editor?.removeKeyMap(PASSES_ON));
  }, [queryEditor, variableEditor, responseEditor]);
  return null;
}
