// The language chosen on one page is that of the next, where the browser may keep it.
const CHOSEN = "retain-language";

const recalled = () => {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
};

const remember = (chosen) => {
  try {
    localStorage.setItem(CHOSEN, chosen);
  } catch {
    // a browser that keeps nothing opens each page in the first language
  }
};
