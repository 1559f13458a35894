"use strict";
// The live part: a place of the plane is measured by the program that serves this page.
(() => {
  const form = document.querySelector("form.ask");
  const [status, table] = [form.querySelector("[role=status]"), document.querySelector("table.live")];
  const figure = document.querySelector("figure.relief");
  const digits = (x, most) => (x === null ? "–" : String(Number(x.toPrecision(most))).replaceAll("-", "−"));
  const added = [];

  const cell = (text, number) => {
    const made = document.createElement("td");
    made.textContent = text;
    if (number) made.className = "number";
    return made;
  };

  const show = (found) => {
    const row = document.createElement("tr");
    const numbers = [digits(found.a, 4), digits(found.b, 4), digits(found.loss, 6), digits(found.gradient, 4), found.text];
    row.append(...numbers.map((text) => cell(text, true)), cell(found.says, false));
    table.tBodies[0].append(row);
    table.hidden = false;
    if (found.loss === null || !figure) return;
    added.push(found);
    figure.dispatchEvent(
      new CustomEvent("measured", {
        detail: {
          type: "scatter3d",
          mode: "markers",
          x: added.map((one) => one.a),
          y: added.map((one) => one.b),
          z: added.map((one) => one.loss),
          text: added.map((one) => `measured now<br>loss ${digits(one.loss, 5)}<br>R ${one.text}`),
          hoverinfo: "text",
          marker: { color: "#ffffff", size: 6, line: { color: "#1b1f24", width: 2 } },
          showlegend: false,
        },
      }),
    );
  };

  let busy = false;
  const ask = async (a, b) => {
    if (busy) return;
    busy = true;
    status.textContent = `Measuring at ${digits(a, 4)}, ${digits(b, 4)} …`;
    try {
      const answer = await fetch(`measure${location.search}`, { method: "POST", body: JSON.stringify({ a, b }) });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      show(found);
      status.textContent = "";
    } catch (error) {
      status.textContent = error instanceof TypeError ? "No answer: was the program ended?" : error.message;
    } finally {
      busy = false;
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [a, b] = ["a", "b"].map((name) => Number(form.elements[name].value.replaceAll("−", "-").trim() || NaN));
    if (Number.isNaN(a) || Number.isNaN(b)) status.textContent = "a and b must be numbers.";
    else ask(a, b);
  });
  figure?.addEventListener("picked", ({ detail: { x, y } }) => {
    [form.elements.a.value, form.elements.b.value] = [x, y].map((value) => String(Number(value.toPrecision(6))));
    ask(x, y);
  });
})();
