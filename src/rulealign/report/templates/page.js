// Draws the page's figures from their specifications, and redraws them as the reader chooses.
(async () => {
  const store = document.getElementById("packed");
  if (!store || !window.DecompressionStream || !window.vegaEmbed) return;  // static figures stand
  const bytes = Uint8Array.from(atob(store.textContent), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { config, figures, tables, stimuli, palette } = await new Response(stream).json();
  const views = [];

  // the rows of a table that a panel can show, as objects of its own
  const rowsOf = (table, of) => {
    const read = Object.entries(table).map(([name, column]) =>
      [name, column.codes ? (at) => column.values[column.codes[at]] ?? null : (at) => column.numbers[at]]);
    const first = Object.values(table)[0];
    const count = first ? (first.codes ?? first.numbers).length : 0;
    const kept = read.filter(([name]) => name in of);
    const rows = [];
    for (let at = 0; at < count; at++) {
      if (kept.every(([name, value]) => value(at) === of[name]))
        rows.push(Object.fromEntries(read.map(([name, value]) => [name, value(at)])));
    }
    return rows;
  };

  // pictures of RDMs, from the ranks of their pairs: one byte each, row by row above the diagonal
  const picture = (codes) => {
    const side = stimuli.length, canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const pixels = new ImageData(side, side);
    const put = (row, column, colour) => pixels.data.set([...colour, 255], 4 * (row * side + column));
    for (let row = 0, at = 0; row < side; row++) {
      put(row, row, palette[0]);
      for (let column = row + 1; column < side; column++, at++) {
        put(row, column, palette[codes[at]]);
        put(column, row, palette[codes[at]]);
      }
    }
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    return canvas.toDataURL();
  };
  const rdms = new Map();  // picture -> its codes
  if (tables.rdms) {
    tables.rdms.url = { codes: tables.rdms.codes.codes, values: tables.rdms.codes.values.map((text) => {
      const codes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0)), url = picture(codes);
      rdms.set(url, codes);
      return url;
    }) };
    delete tables.rdms.codes;
  }

  const wide = (drawing, width) => {
    if (drawing.usermeta?.fixed) return drawing;
    if (drawing.vconcat) return { ...drawing, vconcat: drawing.vconcat.map((one) => ({ ...one, width })) };
    return { ...drawing, width: "container", autosize: { type: "fit-x", contains: "padding" } };
  };

  const draw = async (place, { name, drawing, of }) => {
    const box = place.appendChild(document.createElement("div"));
    box.className = "panel";
    box.dataset.panel = name;
    box.dataset.network = of.network ?? "";
    const text = JSON.stringify(drawing);
    const named = Object.entries(tables).filter(([key]) => text.includes(`"name":"${key}"`))
      .map(([key, table]) => [key, rowsOf(table, of)]);
    const datasets = { ...drawing.datasets, ...Object.fromEntries(named) };
    const room = Math.max(120, Math.min(place.clientWidth, 900) - 160);
    const made = await vegaEmbed(box, { ...wide(drawing, room), datasets },
      { actions: false, renderer: "svg", config, logLevel: 1 });
    views.push(made.view);
  };

  // which pair of an RDM the pointer is on
  const told = document.querySelector("[data-pairs]");
  document.querySelector("[data-figure=rdms]")?.addEventListener("pointermove", (event) => {
    const codes = rdms.get(event.target.href?.baseVal);
    if (!codes || !told) return;
    const box = event.target.getBoundingClientRect(), side = stimuli.length;
    const place = (share) => Math.min(side - 1, Math.max(0, Math.floor(share * side)));
    const [a, b] = [place((event.clientX - box.left) / box.width), place((event.clientY - box.top) / box.height)].sort((x, y) => x - y);
    const code = codes[a * side - (a * (a + 1)) / 2 + b - a - 1];
    const words = code === 255 ? "no dissimilarity" : `less alike than ${Math.round((100 * code) / 254)} % of pairs`;
    told.textContent = a === b ? stimuli[a] : `${stimuli[a]} and ${stimuli[b]}: ${words}`;
  });

  const choices = [...document.querySelectorAll("[data-param]")];
  const first = new Map(choices.map((one) => [one, one.value]));

  const apply = async () => {
    for (const one of choices) {
      const value = JSON.parse(one.value);
      if (one.dataset.words) {  // a slider
        const words = JSON.parse(one.dataset.words)[value];
        one.nextElementSibling.textContent = words;
        one.setAttribute("aria-valuetext", words);
      }
      if (one.dataset.param === "network") {
        for (const box of document.querySelectorAll(".panel[data-network]"))
          box.hidden = Boolean(value && box.dataset.network && box.dataset.network !== value);
        continue;
      }
      for (const view of views)
        if (one.dataset.param in view.getState({ data: () => false, signals: () => true }).signals)
          view.signal(one.dataset.param, value);
    }
    await Promise.all(views.map((view) => view.runAsync()));
    // groups of marks that are empty have the role of a picture, and nothing to say
    for (const one of document.querySelectorAll(".panel [role=graphics-symbol]:not([aria-label])"))
      one.removeAttribute("role");
    document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
  };

  const write = () => {
    const changed = choices.filter((one) => one.value !== first.get(one));
    const state = new URLSearchParams(changed.map((one) => [one.dataset.param, one.value]));
    history.replaceState(null, "", changed.length ? `#?${state}` : "#");
  };

  const read = () => {
    if (!location.hash.startsWith("#?")) return false;
    const state = new URLSearchParams(location.hash.slice(2));
    for (const one of choices) {
      const wanted = state.get(one.dataset.param);
      const known = one.options ? [...one.options].some((option) => option.value === wanted) : wanted !== null;
      one.value = known ? wanted : first.get(one);
    }
    return true;
  };

  document.documentElement.classList.add("answers-back");
  for (const place of document.querySelectorAll("[data-figure]"))
    for (const panel of figures[place.dataset.figure] ?? []) await draw(place, panel);
  read();
  await apply();
  for (const one of choices) one.addEventListener("change", () => { write(); apply(); });
  window.addEventListener("hashchange", () => {
    if (!read()) return;
    apply();
    if (location.hash.includes("claim=")) document.getElementById("curve")?.scrollIntoView();
  });
  window.figureViews = views;  // for those who want to read a figure's data in the console
})();
