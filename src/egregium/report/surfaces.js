"use strict";
// Surfaces that can be turned. Where they cannot be drawn, the pictures that stand in their place stay.
(() => {
  const STEP = Math.PI / 24; // an arrow key turns by this
  const OPTIONS = {
    responsive: true,
    displaylogo: false,
    scrollZoom: false, // the wheel scrolls the page; + and - come nearer
    showSendToCloud: false, // nothing leaves the page
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["tableRotation", "resetCameraLastSave3d"],
  };

  // `value` with the page's colours in place of "var(--name)"
  const coloured = (value, style) => {
    if (typeof value === "string") {
      const name = value.match(/^var\((--[\w-]+)\)$/);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return typeof value[0] === "object" && value[0] ? value.map((x) => coloured(x, style)) : value;
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, coloured(x, style)]));
  };

  const digits = (x, most) => String(Number(x.toPrecision(most))).replaceAll("-", "−");

  // a surface that says, at every place, where that is, the loss, and R at the nearest place where it was measured
  const spoken = ({ near, ...trace }, places) => {
    if (trace.type !== "surface") return trace;
    const words = (z, i, j) =>
      [`${digits(trace.x[i], 3)}, ${digits(trace.y[j], 3)}`, `loss ${digits(z, 5)}`, near ? places[near[j][i]] : ""]
        .filter(Boolean)
        .join("<br>");
    return { ...trace, text: trace.z.map((row, j) => row.map((z, i) => (z === null ? "" : words(z, i, j)))) };
  };

  // on a narrow screen the colour bar lies above the surface, one looks from further away, and axes have short names
  const fitted = (traces, layout, narrow) => {
    if (!narrow) return [traces, layout];
    const bar = { orientation: "h", y: 1, yanchor: "top", len: 0.9, title: { side: "top" } };
    const lying = ({ title, ...old }) => ({ ...old, ...bar, title: { text: title.text.replace("<br>", " "), ...bar.title } });
    const eye = Object.fromEntries(Object.entries(layout.scene.camera.eye).map(([axis, x]) => [axis, 1.5 * x]));
    const named = (axis) => ({ ...axis, title: { ...axis.title, text: axis.title.text.split(/ along |,/)[0] } });
    const axes = Object.fromEntries(["xaxis", "yaxis", "zaxis"].map((name) => [name, named(layout.scene[name])]));
    const scene = { ...layout.scene, ...axes, camera: { ...layout.scene.camera, eye }, domain: { y: [0, 0.85] } };
    return [traces.map((one) => (one.colorbar ? { ...one, colorbar: lying(one.colorbar) } : one)), { ...layout, scene }];
  };

  const turned = (eye, key) => {
    const [flat, angle] = [Math.hypot(eye.x, eye.y), Math.atan2(eye.y, eye.x)];
    const [far, tilt] = [Math.hypot(flat, eye.z), Math.atan2(eye.z, flat)];
    const around = { ArrowLeft: -STEP, ArrowRight: STEP }[key] ?? 0;
    const limit = Math.PI / 2 - 0.02;
    const up = Math.max(-limit, Math.min(limit, tilt + ({ ArrowUp: STEP, ArrowDown: -STEP }[key] ?? 0)));
    const size = far * ({ "+": 0.9, "=": 0.9, "-": 1 / 0.9 }[key] ?? 1);
    const [x, y] = [Math.cos(angle + around), Math.sin(angle + around)].map((part) => part * size * Math.cos(up));
    return { x, y, z: size * Math.sin(up) };
  };

  const drawn = async (figure) => {
    const [place, still] = [figure.querySelector(".turn"), figure.querySelector(".still")];
    const { data, layout, places } = JSON.parse(figure.querySelector("script").textContent);
    const traces = data.map((trace) => spoken(trace, places));
    const narrow = matchMedia("(max-width: 40rem)");
    const draw = () => {
      const style = getComputedStyle(document.documentElement);
      const [shown, around] = fitted(figure.measured ? [...traces, figure.measured] : traces, layout, narrow.matches);
      return Plotly.react(place, coloured(shown, style), coloured(around, style), OPTIONS);
    };
    place.hidden = false;
    figure.classList.add("live");
    try {
      await draw();
    } catch (error) {
      place.hidden = true;
      figure.classList.remove("live");
      return;
    }
    for (const query of [matchMedia("(prefers-color-scheme: dark)"), narrow]) query.addEventListener("change", draw);
    // plotly's own click is heard while one turns the surface, too
    let [under, pressed] = [null, null];
    place.on("plotly_hover", ({ points: [{ x, y }] }) => (under = { x, y }));
    place.on("plotly_unhover", () => (under = null));
    place.addEventListener("pointerdown", ({ clientX, clientY }) => (pressed = [clientX, clientY]), true);
    place.addEventListener("pointerup", ({ clientX, clientY }) => {
      const still = pressed && Math.hypot(clientX - pressed[0], clientY - pressed[1]) < 4;
      if (still && under) figure.dispatchEvent(new CustomEvent("picked", { detail: under }));
    }, true);
    figure.addEventListener("measured", ({ detail }) => {
      figure.measured = detail;
      draw();
    });
    place.addEventListener("keydown", (event) => {
      if (event.target !== place || event.ctrlKey || event.metaKey || event.altKey) return;
      const known = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "+", "=", "-", "0"].includes(event.key);
      if (!known) return;
      event.preventDefault();
      const home = fitted(traces, layout, narrow.matches)[1].scene.camera.eye;
      const eye = event.key === "0" ? home : turned(place._fullLayout.scene.camera.eye, event.key);
      Plotly.relayout(place, { "scene.camera.eye": eye });
    });
  };

  const canvas = document.createElement("canvas");
  const possible = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  possible?.getExtension("WEBGL_lose_context")?.loseContext(); // one of the few that there are
  if (possible) document.querySelectorAll("figure.relief").forEach(drawn);
})();
