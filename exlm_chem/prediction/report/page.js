// A page of fifty rows is made when it is looked at.
const PAGE = 50;
const numeric = columns.map((_, index) => index).filter((index) => columns[index].number);
const domains = columns.map((_, index) => index).filter((index) => columns[index].name.endsWith("_in_domain") && columns[index].own);
const state = { order: [], page: 0, shown: columns.map((column) => column.shown) };

function chosen() {
  const words = element("search").value.toLowerCase();
  const column = Number(element("column").value);
  const [least, most] = ["least", "most"].map((id) => element(id).value);
  return rows.map((_, index) => index).filter((index) => {
    const row = rows[index];
    if (words && !row.some((cell) => cell !== null && String(cell).toLowerCase().includes(words))) return false;
    if (element("answered").checked && row[about.error]) return false;
    if (element("domain").checked && !domains.every((one) => row[one] === true)) return false;
    if (!least && !most) return true;
    const value = row[column];
    return typeof value === "number" && (!least || value >= Number(least)) && (!most || value <= Number(most));
  });
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

function sorted(order) {
  const column = Number(element("sort").value);
  if (column < 0) return element("descending").checked ? order.reverse() : order;
  const sign = element("descending").checked ? -1 : 1;
  const empty = order.filter((index) => rows[index][column] === null);  // at the end, either way
  const full = order.filter((index) => rows[index][column] !== null);
  return [...full.sort((a, b) => sign * compare(rows[a][column], rows[b][column]) || a - b), ...empty];
}

function histogram() {
  const column = Number(element("column").value);
  const frame = element("histogram");
  frame.replaceChildren();
  if (!(column in columns)) return;
  const values = state.order.map((index) => rows[index][column]).filter((cell) => typeof cell === "number");
  if (values.length < 2) return;
  const least = values.reduce((a, b) => Math.min(a, b)), most = values.reduce((a, b) => Math.max(a, b));
  if (least === most) return;
  const bins = new Array(30).fill(0);
  for (const value of values) bins[Math.min(29, Math.floor((30 * (value - least)) / (most - least)))] += 1;
  const highest = bins.reduce((a, b) => Math.max(a, b));
  const space = "http://www.w3.org/2000/svg";
  const add = (parent, name, attributes, text = "") => {
    const made = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const picture = add(frame, "svg", { viewBox: "0 0 640 130", role: "img", "aria-label": "Histogram of " + columns[column].name });
  bins.forEach((count, bin) => {
    const height = (83 * count) / highest;
    const bar = add(picture, "rect", { x: 5 + bin * 21, y: 105 - height, width: 19, height });
    add(bar, "title", {}, `${count} from ${written(least + (bin * (most - least)) / 30)}`);
  });
  add(picture, "text", { x: 5, y: 122 }, written(least));
  add(picture, "text", { x: 635, y: 122, "text-anchor": "end" }, written(most));
  add(picture, "text", { x: 320, y: 122, "text-anchor": "middle" }, `${columns[column].name} of ${values.length} molecules`);
  add(picture, "text", { x: 5, y: 16 }, String(highest));
}

function cellOf(row, index) {
  const cell = rows[row][index];
  const kind = columns[index].number ? "number" : index === about.error ? "text error" : "text";
  const text = written(cell);
  const made = make("td", { className: text === "" ? kind + " empty" : kind });
  if (text.length > 30) made.append(make("div", { className: "long", textContent: text, tabIndex: 0 }));
  else made.textContent = text;
  made.dataset.name = columns[index].name.replaceAll("_", "_\u200b");  // where a narrow screen may break it
  return made;
}

function show() {
  const pages = Math.max(1, Math.ceil(state.order.length / PAGE));
  state.page = Math.min(state.page, pages - 1);
  const visible = columns.map((_, index) => index).filter((index) => state.shown[index]);
  const heads = visible.map((index) => {
    const button = make("button", { textContent: columns[index].name, title: columns[index].meaning });
    button.onclick = () => {
      element("descending").checked = Number(element("sort").value) === index && !element("descending").checked;
      element("sort").value = index;
      update();
    };
    const head = make("th", { scope: "col", className: columns[index].number ? "number" : "" }, button);
    if (Number(element("sort").value) === index) {
      head.ariaSort = element("descending").checked ? "descending" : "ascending";
      button.append(element("descending").checked ? " \u25be" : " \u25b4");
    }
    return head;
  });
  document.querySelector("thead").replaceChildren(make("tr", {}, make("th", { scope: "col", textContent: "structure" }), ...heads));
  const body = state.order.slice(state.page * PAGE, (state.page + 1) * PAGE).map((row) => {
    const image = make("img", { alt: "structure of row " + (row + 1), width: about.width, height: about.height });
    draw(image, row);
    const line = make("tr", {}, make("td", { className: "picture" }, image), ...visible.map((index) => cellOf(row, index)));
    if (domains.some((one) => rows[row][one] === false)) line.className = "outside";
    return line;
  });
  document.querySelector("tbody").replaceChildren(...body);
  element("where").textContent = state.order.length
    ? `${state.page * PAGE + 1} to ${Math.min(state.order.length, (state.page + 1) * PAGE)} of ${state.order.length} rows`
    : "no rows";
  element("previous").disabled = state.page === 0;
  element("next").disabled = state.page >= pages - 1;
}

function update() {
  state.order = sorted(chosen());
  state.page = 0;
  histogram();
  show();
}

function start() {
  element("column").append(...numeric.map((index) => make("option", { value: index, textContent: columns[index].name })));
  element("column").value = about.first;
  element("sort").append(make("option", { value: -1, textContent: "as in the file" }));
  element("sort").append(...columns.map((column, index) => make("option", { value: index, textContent: column.name })));
  element("domain-label").hidden = domains.length === 0;
  element("shown").append(...columns.map((column, index) => {
    const box = make("input", { type: "checkbox", checked: column.shown });
    box.onchange = () => { state.shown[index] = box.checked; show(); };
    return make("label", {}, box, " " + column.name);
  }));
  for (const id of ["search", "column", "least", "most", "domain", "answered", "sort", "descending"]) element(id).oninput = update;
  element("previous").onclick = () => { state.page -= 1; show(); };
  element("next").onclick = () => { state.page += 1; show(); };
  update();
}
start();
