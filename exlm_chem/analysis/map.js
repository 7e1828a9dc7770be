// The map is drawn on a canvas; a molecule's structure is unpacked when it is pointed at.
const canvas = element("map"), pen = canvas.getContext("2d");
const view = { scale: 1, x: 0, y: 0 };  // what of the plane is in the middle, and how large
const state = { colour: 0, at: -1, kept: false, found: null };
const ramp = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"].map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
const NEAR = 14, DRAG = 4;  // pixels

function mixed(share) {
  const place = Math.min(Math.max(share, 0), 1) * (ramp.length - 1), low = Math.min(Math.floor(place), ramp.length - 2);
  return `rgb(${[0, 1, 2].map((one) => Math.round(ramp[low][one] + (place - low) * (ramp[low + 1][one] - ramp[low][one])))})`;
}

function colourOf(row) {
  const colour = about.colours[state.colour];
  if (!colour) return about.palette[0];
  const value = colour.values[row];
  if (value === null) return about.unknown;
  if (colour.groups.length) return about.palette[value] ?? about.other;
  return mixed((value - colour.ends[0]) / (colour.ends[1] - colour.ends[0] || 1));
}

function size() { return Math.min(canvas.clientWidth, canvas.clientHeight) * 0.94 * view.scale; }

function place(row) {
  const [x, y] = about.points[row];
  return [canvas.clientWidth / 2 + (x - view.x) * size(), canvas.clientHeight / 2 - (y - view.y) * size()];
}

function paint() {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  pen.scale(ratio, ratio);
  const radius = Math.min(8, Math.max(2, 90 / Math.sqrt(rows.length)) * Math.sqrt(Math.max(1, view.scale)));
  const dot = (row, filled, wide) => {
    const [x, y] = place(row);
    pen.beginPath();
    pen.arc(x, y, wide, 0, 7);
    pen.fillStyle = filled;
    pen.fill();
  };
  const order = rows.map((_, row) => row);
  const colour = about.colours[state.colour];
  if (colour) order.sort((a, b) => (colour.values[a] !== null) - (colour.values[b] !== null));  // the unknown below
  for (const row of order) {
    pen.globalAlpha = state.found && !state.found.has(row) ? 0.08 : 0.8;
    dot(row, colourOf(row), radius);
  }
  pen.globalAlpha = 1;
  if (state.at >= 0) {
    dot(state.at, colourOf(state.at), radius + 2);
    pen.lineWidth = 2;
    pen.strokeStyle = "#1c2733";
    pen.stroke();
  }
}

function nearest(x, y) {
  let best = -1, least = NEAR * NEAR;
  for (let row = 0; row < rows.length; row += 1) {
    if (state.found && !state.found.has(row)) continue;
    const [px, py] = place(row), distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) [best, least] = [row, distance];
  }
  return best;
}

function show(row) {
  if (row === state.at) return;
  state.at = row;
  const image = make("img", { alt: "structure of molecule " + (row + 1), width: about.width, height: about.height });
  draw(image, row);
  const list = make("dl");
  columns.forEach((column, index) => {
    const text = written(rows[row][index]);
    if (text !== "") list.append(make("dt", { textContent: column.name }), make("dd", { textContent: text }));
  });
  element("molecule").replaceChildren(image, list);
  paint();
}

function legend() {
  const colour = about.colours[state.colour], frame = element("legend");
  frame.replaceChildren();
  if (!colour) return;
  frame.append(make("strong", { textContent: colour.name }));
  const mark = (filled, text) => {
    const dot = make("i");
    dot.style.background = filled;
    frame.append(make("span", {}, dot, text));
  };
  if (colour.groups.length) {
    colour.groups.forEach((name, group) => mark(about.palette[group] ?? about.other, `${name} (${colour.values.filter((value) => value === group).length})`));
  } else {
    frame.append(make("span", {}, "\u2264 " + written(colour.ends[0])), make("i", { className: "ramp" }), make("span", {}, "\u2265 " + written(colour.ends[1])));
  }
  const unknown = colour.values.filter((value) => value === null).length;
  if (unknown) mark(about.unknown, `not known (${unknown})`);
}

function search() {
  const words = element("search").value.toLowerCase();
  const found = rows.map((_, row) => row).filter((row) => rows[row].some((cell) => cell !== null && String(cell).toLowerCase().includes(words)));
  state.found = words ? new Set(found) : null;
  element("found").textContent = words ? `${found.length} of ${rows.length}` : "";
  paint();
}

function zoom(times, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const before = size(), scale = Math.min(Math.max(view.scale * times, 0.5), 200);
  const [dx, dy] = [x - canvas.clientWidth / 2, canvas.clientHeight / 2 - y];
  view.scale = scale;
  view.x += dx / before - dx / size();
  view.y += dy / before - dy / size();
  paint();
}

function keep(row) {
  state.kept = row >= 0;
  if (state.kept) show(row);
  element("molecule").classList.toggle("kept", state.kept);
}

const fingers = new Map();
let moved = 0;
const spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a.offsetX - b.offsetX, a.offsetY - b.offsetY); };

function pointed(event) {
  const before = fingers.get(event.pointerId);
  if (!before) {
    const row = state.kept ? -1 : nearest(event.offsetX, event.offsetY);
    if (row >= 0) show(row);
    return;
  }
  const wide = fingers.size === 2 ? spread() : 0;
  fingers.set(event.pointerId, event);
  if (wide) {
    const [a, b] = [...fingers.values()];
    moved = DRAG + 1;
    zoom(spread() / wide, (a.offsetX + b.offsetX) / 2, (a.offsetY + b.offsetY) / 2);
    return;
  }
  const [dx, dy] = [event.offsetX - before.offsetX, event.offsetY - before.offsetY];
  moved += Math.abs(dx) + Math.abs(dy);
  view.x -= dx / size();
  view.y += dy / size();
  paint();
}

function start() {
  element("colour-label").hidden = about.colours.length === 0;
  element("colour").append(...about.colours.map((one, index) => make("option", { value: index, textContent: one.name })));
  element("colour").oninput = () => { state.colour = Number(element("colour").value); legend(); paint(); };
  element("search").oninput = search;
  element("closer").onclick = () => zoom(1.5);
  element("farther").onclick = () => zoom(1 / 1.5);
  element("whole").onclick = () => { Object.assign(view, { scale: 1, x: 0, y: 0 }); paint(); };
  canvas.onwheel = (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY); };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    moved = 0;
  };
  canvas.onpointermove = pointed;
  canvas.onpointerup = (event) => {
    fingers.delete(event.pointerId);
    if (moved <= DRAG) keep(nearest(event.offsetX, event.offsetY));
  };
  canvas.onpointercancel = (event) => fingers.delete(event.pointerId);
  canvas.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    keep((state.at + step + rows.length) % rows.length);
  };
  new ResizeObserver(paint).observe(canvas);
  legend();
  paint();
}
start();
