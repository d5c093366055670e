'use strict';
(() => {
  const one = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const form = one('filter');
  const rows = all('.kind').map((node) => ({
    node,
    parts: [...node.querySelectorAll('.part')].map((part) => ({
      part,
      names: [...part.querySelectorAll('.names li')].map((item) => [item, item.textContent.toLowerCase()]),
    })),
  }));
  const lists = (list, value) => list !== undefined && (!value || list === '*' || ` ${list} `.includes(` ${value} `));
  const apply = () => {
    const [name, group, store, level] = ['member', 'group', 'store', 'level'].map((id) => one(id).value.trim());
    const levels = level ? [level] : ['o', 'e', 'v', 'c'];
    const wanted = name.toLowerCase();
    const shown = [];
    let members = 0;
    for (const { node, parts } of rows) {
      const here = (!store && !level) || levels.some((each) => lists(node.dataset[each], store));
      let count = 0;
      for (const { part, names } of parts) {
        const fits = here && (!group || lists(part.dataset.g, group));
        let some = 0;
        for (const [item, text] of names) {
          const found = fits && text.includes(wanted);
          item.hidden = !found;
          some += found;
        }
        part.hidden = !some;
        count += some;
      }
      node.hidden = !count;
      members += count;
      if (count) shown.push(node);
    }
    for (const section of all('.rows')) section.hidden = !section.querySelector('.kind:not([hidden])');
    const filtered = wanted || group || store || level;
    for (const more of all('.more')) {
      const some = more.querySelector('.kind:not([hidden])');
      more.hidden = !some;
      if (filtered && some) more.open = true;
    }
    if (wanted && shown.length < 6) for (const node of shown) node.open = true;
    one('found').textContent = filtered
      ? `Shown: ${members} ${members === 1 ? 'member' : 'members'} in ${shown.length} of ${rows.length} rows.`
      : '';
  };
  document.documentElement.classList.add('js');
  form.addEventListener('input', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(apply));
  one('unfold').addEventListener('click', (event) => {
    const open = event.target.textContent === 'Unfold all';
    for (const node of all('.kind, .more')) node.open = open;
    event.target.textContent = open ? 'Fold all' : 'Unfold all';
  });
  // A link leads to its row also where the filter hides it.
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && one(link.hash.slice(1))?.closest('[hidden]')) {
      form.reset();
      apply();
    }
  });
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = all('details:not([open])');
    for (const node of folded) node.open = true;
  });
  addEventListener('afterprint', () => {
    for (const node of folded) node.open = false;
  });
  apply();
})();
