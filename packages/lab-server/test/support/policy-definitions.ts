const HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<apd:AppPolicyDefinition xmlns:apd="urn:AppPolicySchema1.good.com">\n';
const TAIL = '\n</apd:AppPolicyDefinition>\n';

/** A definition with this inside its root; its first line is line 3 of the document. */
export function definitionOf(inside: string): string {
  return `${HEAD}${inside}${TAIL}`;
}

/** One setting of each control, numbers that documents of the wire cannot hold, and one setting that no client is sent. */
export const A_DEFINITION: string = definitionOf(`
  <pview>
    <pview type="tabbed" key="general">
      <title>General</title><heading>All of it</heading><desc>What the app does</desc>
      <pe ref="sound"/><pe ref="loud" depends="sound"/><pe ref="name"/><pe ref="notes"/><pe ref="colour"/><pe ref="tabs"/>
    </pview>
    <pview><sendto client="None"/><desc>For the console</desc><pe ref="digest"/></pview>
    <pe ref="version"/>
  </pview>
  <setting name="version"><hidden><key>version</key><value>2.1</value></hidden></setting>
  <setting name="sound"><checkbox><key>sound</key><label>Sound &amp; more</label><value>true</value></checkbox></setting>
  <setting name="loud"><checkbox><key>loudSound</key><label>Loud</label></checkbox></setting>
  <setting name="name"><text><key>name</key><label>Name</label><value>Ada</value><maxlength>8</maxlength></text></setting>
  <setting name="notes"><textarea><key>notes</key><label>Notes</label></textarea></setting>
  <setting name="colour"><select><key>colour</key><label>Colour</label><value>0.5</value><options ref="colours"/></select></setting>
  <setting name="tabs"><multiselect><key>tabs</key><label>Tabs</label><value ref="some"/><options ref="all"/></multiselect></setting>
  <setting name="digest"><hidden><key>digest</key><value>00:11</value></hidden></setting>
  <dl name="colours" dtype="number">
    <dv><desc>None</desc><value>-1</value></dv><dv><desc>Half</desc><value>0.5</value></dv><dv><desc>All</desc><value>12</value></dv>
  </dl>
  <dl name="all"><dv><desc>A</desc><value>a</value></dv><dv><desc>B</desc><value>b</value></dv><dv><value>c</value></dv></dl>
  <do name="some" dtype="number"><value>c</value><value>a</value></do>`);
