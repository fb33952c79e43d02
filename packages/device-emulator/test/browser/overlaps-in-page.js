(selector, fewest = 300) => {
  // Also what is out of view is laid out for this.
  for (const block of document.querySelectorAll('.block')) block.style.setProperty('content-visibility', 'visible');
  const seenBox = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const text = range.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    // What is cut off by an ellipsis is not seen.
    const [left, right] = [Math.max(text.left, box.left), Math.min(text.right, box.right)];
    return { left, right, top: text.top, bottom: text.bottom, name: element.textContent.slice(0, 40) };
  };
  const texts = [...document.querySelectorAll(selector)].map(seenBox).filter(({ left, right, top, bottom }) => right > left && bottom > top);
  texts.sort((a, b) => a.top - b.top);
  const found = texts.length < fewest ? [`only ${texts.length} texts were seen`] : [];
  for (const [at, one] of texts.entries()) {
    if (one.left < 0 || one.right > document.documentElement.scrollWidth) found.push(`outside: ${one.name}`);
    for (const other of texts.slice(at + 1)) {
      if (other.top >= one.bottom - 1) break;
      if (one.left < other.right - 0.5 && other.left < one.right - 0.5) found.push(`${one.name} / ${other.name}`);
    }
  }
  return found;
};
