
"use strict";
// Each column's rows, and every row by its group and by its part.
const columns = [...document.querySelectorAll("section")].map((section) => ({
  section,
  title: section.getAttribute("aria-label"),
  rows: [...section.querySelectorAll("li")],
  current: null, // the row that Tab goes to
}));
const home = new Map(); // row -> its column
const groups = new Map();
const parts = new Map();
for (const column of columns) {
  for (const row of column.rows) {
    home.set(row, column);
    add(groups, row.dataset.g, row);
    add(parts, row.dataset.p, row);
  }
  setCurrent(column, column.rows[0]);
}
let near = null;
let kept = null;

function add(index, key, row) {
  if (!key) return;
  if (!index.has(key)) index.set(key, []);
  index.get(key).push(row);
}

function kin(row) {
  const same = parts.get(row.dataset.p) || [row];
  return { group: groups.get(row.dataset.g) || same, part: same };
}

function paint(name, row) {
  for (const part of ["", "-part"])
    for (const old of document.querySelectorAll(`.${name}${part}`)) old.classList.remove(name + part);
  if (!row || !(row.dataset.g || row.dataset.p)) return;
  const { group, part } = kin(row);
  for (const other of group) other.classList.add(name);
  for (const other of part) other.classList.add(`${name}-part`);
}

function point(row) {
  if (row === near) return;
  near = row;
  paint("near", row);
}

function keep(row) {
  for (const old of document.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
  kept = row && (row.dataset.g || row.dataset.p) ? row : null;
  paint("kept", kept);
  if (!kept) return;
  const { group } = kin(kept);
  for (const other of group) other.setAttribute("aria-current", "true");
  for (const column of columns) if (column !== home.get(kept)) show(match(kept, column));
  const counts = columns.map((column) =>
    `${column.title} ${group.filter((other) => home.get(other) === column).length}`);
  document.getElementById("status").textContent = `rows: ${counts.join(" · ")}`;
}

// The row of a column that is nearest of kin.
function match(row, column) {
  const { group, part } = kin(row);
  const inside = (other) => home.get(other) === column;
  return part.find(inside) || group.find(inside) || null;
}

function show(row) {
  if (!row) return;
  row.closest("details").open = true;
  const view = home.get(row).section.querySelector(".scroll").getBoundingClientRect();
  const box = row.getBoundingClientRect();
  const isSeen = box.top > view.top + 24 && box.bottom < view.bottom;
  if (!isSeen) row.scrollIntoView({ block: "center", inline: "nearest" });
}

function setCurrent(column, row) {
  if (column.current) column.current.removeAttribute("tabindex");
  column.current = row || null;
  if (row) row.tabIndex = 0;
}

function go(row) {
  if (!row) return;
  setCurrent(home.get(row), row);
  show(row);
  row.focus({ preventScroll: true });
}

// The row that is `count` visible rows further on.
function step(row, count) {
  const { rows } = home.get(row);
  const way = Math.sign(count);
  let last = row;
  for (let at = rows.indexOf(row) + way; rows[at] && count; at += way) {
    if (!rows[at].closest("details").open) continue;
    last = rows[at];
    count -= way;
  }
  return last;
}

function aside(row, way) {
  const column = columns[columns.indexOf(home.get(row)) + way];
  return column && (match(row, column) || column.current);
}

const KEYS = {
  ArrowUp: (row) => go(step(row, -1)),
  ArrowDown: (row) => go(step(row, 1)),
  PageUp: (row) => go(step(row, -20)),
  PageDown: (row) => go(step(row, 20)),
  Home: (row) => go(step(row, -Infinity)),
  End: (row) => go(step(row, Infinity)),
  ArrowLeft: (row) => go(aside(row, -1)),
  ArrowRight: (row) => go(aside(row, 1)),
  Enter: keep,
  " ": keep,
};

document.addEventListener("mouseover", (event) => point(event.target.closest("li")));
document.addEventListener("focusin", (event) => point(event.target.closest("li")));
document.addEventListener("click", (event) => {
  const row = event.target.closest("li");
  if (!row || String(getSelection())) return;
  setCurrent(home.get(row), row);
  row.focus({ preventScroll: true });
  keep(row);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") keep(null);
  const row = event.target.closest("li");
  if (!row || event.ctrlKey || event.altKey || event.metaKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key](row);
});
