"use strict";
// Tables sort by a click, Enter or Space on a heading: up, down, and as they were. Groups of rows stay together.
(() => {
  // a number as the page writes it: 1,234 or −8.85 × 10<sup>−8</sup>, with whatever interval behind it
  const number = (cell) => {
    const text = cell.innerHTML
      .replace(/<small[\s\S]*?<\/small>/g, "")
      .replace(/(\d) × 10<sup>([^<]*)<\/sup>/g, "$1e$2")
      .replace(/(^|[^\d.])10<sup>([^<]*)<\/sup>/g, "$11e$2")
      .replace(/<[^>]*>/g, "")
      .replaceAll("−", "-")
      .replace(/(\d),(?=\d{3})/g, "$1")
      .trim();
    return /^[+-]?(\d|\.\d|inf)/.test(text) ? Number(text.replace(/^([+-]?)inf.*/, "$1Infinity").match(/^[+-]?(Infinity|[\d.]+(e[+-]?\d+)?)/)[0]) : NaN;
  };

  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y || 0;
    return a.textContent.trim().localeCompare(b.textContent.trim(), undefined, { numeric: true });
  };

  // what is missing comes last in either order
  const missing = (cell) => cell === undefined || ["–", ""].includes(cell.textContent.trim());

  const sorted = (rows, column, sign) =>
    [...rows].sort((one, other) => {
      const [a, b] = [one.cells[column], other.cells[column]];
      return missing(a) || missing(b) ? missing(a) - missing(b) : sign * order(a, b);
    });

  const arrange = (table, original, column, direction) => {
    for (const [body, rows] of original) {
      const movable = rows.filter((row) => !row.classList.contains("group"));
      const heads = rows.filter((row) => row.classList.contains("group"));
      const sign = direction === "descending" ? -1 : 1;
      body.append(...heads, ...(direction === "none" ? movable : sorted(movable, column, sign)));
    }
    for (const [i, head] of [...table.tHead.rows[0].cells].entries()) {
      head.setAttribute("aria-sort", i === column ? direction : "none");
    }
  };

  const next = { none: "ascending", ascending: "descending", descending: "none" };
  for (const table of document.querySelectorAll("table.sortable")) {
    const original = [...table.tBodies].map((body) => [body, [...body.rows]]);
    for (const [i, head] of [...table.tHead.rows[0].cells].entries()) {
      const button = document.createElement("button"); // Enter and Space come with it
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => arrange(table, original, i, next[head.getAttribute("aria-sort")]));
    }
  }
})();
