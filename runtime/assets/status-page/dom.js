/** An element with attributes and children; texts become text, never markup. */
export function element(name, attributes = {}, ...children) {
  return furnish(document.createElement(name), attributes, children);
}

/** The same for a part of a drawing. */
export function shape(name, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Head and rows of a table; a cell is a text, or `{ text, className }`. */
export function table(columns, rows) {
  const head = columns.map(({ title, className = "" }) => element("th", { class: className }, title));
  const body = rows.map((cells) =>
    element(
      "tr",
      {},
      ...cells.map((cell, index) => {
        const { text = cell, className = "" } = Object(cell);
        const { title = "", className: column = "" } = columns[index] ?? {};
        return element("td", { class: `${column} ${className}`.trim(), "data-label": title }, String(text));
      }),
    ),
  );
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
}

function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) if (value !== "") made.setAttribute(name, value);
  made.append(...children);
  return made;
}
