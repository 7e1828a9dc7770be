"use strict";
// What the pages share. Rows stand in a page as JSON, drawings as packed SVG, which is unpacked when it is looked at.
const element = (id) => document.getElementById(id);
const about = JSON.parse(element("about").textContent);
const columns = about.columns;
const rows = [...document.querySelectorAll("script.rows")].flatMap((script) => JSON.parse(script.textContent));
const packed = [...document.querySelectorAll("script.drawings")];
const unpacked = new Map();

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function written(cell) {
  if (cell === null) return "";
  return typeof cell === "number" && !Number.isInteger(cell) ? String(Number(cell.toPrecision(4))) : String(cell);
}

async function drawings(group) {
  if (!unpacked.has(group)) {
    const bytes = Uint8Array.from(atob(packed[group].textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    unpacked.set(group, new Response(stream).json());
  }
  return unpacked.get(group);
}

async function draw(image, row) {
  const svg = (await drawings(Math.floor(row / about.group)))[row % about.group];
  if (svg) image.src = "data:image/svg+xml," + encodeURIComponent(svg);
  else image.replaceWith(make("small", { textContent: "no picture" }));
}
