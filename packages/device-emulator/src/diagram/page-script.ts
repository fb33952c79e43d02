/** Script of the page: filters and keys. Reads the page and sets `hidden`, `open` and text, never markup. Without it everything is still there to read. */
export const PAGE_SCRIPT = `'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll('details')];
  const sections = [...document.querySelectorAll('section')];
  const [step, device, search, trouble, count] = [$('step'), $('device'), $('search'), $('trouble'), $('count')];
  const texts = new Map();
  const textOf = (row) => {
    let text = texts.get(row);
    if (text === undefined) texts.set(row, (text = row.textContent.toLowerCase()));
    return text;
  };
  const fits = (row) => {
    const { s = '', d = '', t = '' } = row.dataset;
    if (step.value !== '' && s !== step.value && !s.startsWith(step.value + '.')) return false;
    if (device && device.value !== '' && d !== device.value) return false;
    if (trouble.checked && t === '') return false;
    return search.value === '' || textOf(row).includes(search.value.toLowerCase());
  };
  const filter = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !fits(row);
      if (!row.hidden) shown++;
    }
    for (const section of sections) section.hidden = ![...section.children].some((row) => row.localName === 'details' && !row.hidden);
    count.textContent = shown === rows.length ? rows.length + ' messages' : shown + ' of ' + rows.length + ' messages';
  };
  for (const control of [step, device, search, trouble]) if (control) control.addEventListener('input', filter);
  $('theme').addEventListener('click', () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  const unfold = $('unfold');
  unfold.addEventListener('click', () => {
    const open = unfold.getAttribute('aria-pressed') !== 'true';
    unfold.setAttribute('aria-pressed', String(open));
    for (const row of rows) if (!row.hidden) row.open = open;
  });
  const move = (by) => {
    const shown = rows.filter((row) => !row.hidden);
    const at = shown.indexOf(document.activeElement.closest('details'));
    const next = shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by];
    if (next) next.firstElementChild.focus();
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = ['INPUT', 'SELECT'].includes(event.target.tagName);
    if (event.key === 'Escape' && typing) {
      search.value = '';
      filter();
      event.target.blur();
    } else if (typing) return;
    else if (event.key === 'j' || event.key === 'ArrowDown') move(1);
    else if (event.key === 'k' || event.key === 'ArrowUp') move(-1);
    else if (event.key === '/') search.focus();
    else return;
    event.preventDefault();
  });
  filter();
  document.querySelector('.tools').hidden = false;
})();
`;
