// Sorting, searching and filtering of what the page already has. Everything is readable without it.
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Airflow keeps its theme on its own document, and these pages may stand in a frame of it.
  const follow = () => {
    let theme = "";
    try {
      const outer = window.parent !== window ? window.parent.document.documentElement : null;
      theme = outer ? (outer.classList.contains("dark") ? "dark" : "light") : "";
      if (outer && !follow.watched) {
        follow.watched = new MutationObserver(follow);
        follow.watched.observe(outer, { attributes: true, attributeFilter: ["class", "data-theme"] });
      }
    } catch { theme = ""; }
    if (theme) document.documentElement.dataset.theme = theme;
  };
  follow();

  const value = (row, column) => {
    const cell = row.cells[column];
    const raw = cell.dataset.value !== undefined ? cell.dataset.value : cell.textContent.trim();
    const number = Number(raw.replace(/[,%<\s]/g, ""));
    return raw !== "" && !Number.isNaN(number) ? number : raw;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1; // nothing goes last
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  for (const table of all("table[data-sortable]")) {
    all("thead th", table).forEach((head, column) => {
      if ("plain" in head.dataset) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [value(row, column), row]);
        rows.sort(([a], [b]) => (down && a !== "" && b !== "" ? -compare(a, b) : compare(a, b)));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  const search = document.querySelector("[data-search]");
  if (search) {
    const index = JSON.parse(document.getElementById("index").textContent);
    const [input, list, count] = [search.querySelector("input"), search.querySelector("ul"), search.querySelector("p")];
    search.addEventListener("submit", (event) => {
      event.preventDefault();
      list.querySelector("a")?.click();
    });
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rank = (found) => (found.name.toLowerCase().includes(words[0]) ? 0 : 1);
      const hits = words.length ? index.filter((found) => words.every((word) => `${found.name} ${found.meaning}`.toLowerCase().includes(word))) : [];
      hits.sort((a, b) => rank(a) - rank(b));
      count.textContent = words.length ? `${hits.length} found` : "";
      list.replaceChildren(...hits.slice(0, 60).map((found) => {
        const [item, link, kind] = [document.createElement("li"), document.createElement("a"), document.createElement("span")];
        link.href = found.href;
        link.textContent = found.name;
        kind.className = "muted";
        kind.textContent = ` ${found.kind}: ${found.meaning}`;
        item.append(link, kind);
        return item;
      }));
    });
  }

  for (const form of all("form[data-filter]")) {
    const rows = [...document.getElementById(form.dataset.filter).tBodies[0].rows];
    const count = form.querySelector("[data-count]");
    const apply = () => {
      const text = form.querySelector("input").value.toLowerCase();
      const chosen = all("select", form).filter((select) => select.value);
      let shown = 0;
      for (const row of rows) {
        const fits = row.textContent.toLowerCase().includes(text)
          && chosen.every((select) => row.cells[Number(select.dataset.column)].textContent.trim() === select.value);
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      }
      count.textContent = `${shown} of ${rows.length}`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  for (const form of all("form[data-go]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      window.location.assign(form.querySelector("select").value);
    });
  }

  // A frame of Airflow's may not navigate the page around it, but a link of that page may.
  for (const link of all("a[target=_top]")) {
    link.addEventListener("click", (event) => {
      if (window.parent === window || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const outer = window.parent.document.createElement("a");
      outer.href = link.href;
      window.parent.document.body.append(outer);
      outer.click();
      outer.remove();
    });
  }

  for (const graph of all("svg.graph")) {
    const edges = all(".edge", graph);
    const point = (port) => {
      graph.classList.toggle("pointed", Boolean(port));
      for (const edge of edges) edge.classList.toggle("on", edge.dataset.from === port || edge.dataset.to === port);
    };
    for (const port of all(".port", graph)) {
      port.addEventListener("mouseenter", () => point(port.dataset.port));
      port.addEventListener("focus", () => point(port.dataset.port));
      port.addEventListener("mouseleave", () => point(""));
      port.addEventListener("blur", () => point(""));
    }
  }
})();
