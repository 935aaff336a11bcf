// Asks KaTeX or MathJax about formulas: node accepts.cjs katex|mathjax FOLDER < formulas.json
// Writes one answer a formula: null, or why it was refused.
const { createRequire } = require("module");
const [tool, folder] = process.argv.slice(2);
const load = createRequire(folder + "/");

function katex() {
  const { renderToString } = load("katex");
  return (formula) =>
    renderToString(formula, { throwOnError: true, strict: "error", displayMode: true });
}

function mathjax() {
  const { mathjax } = load("mathjax-full/js/mathjax.js");
  const { TeX } = load("mathjax-full/js/input/tex.js");
  const { liteAdaptor } = load("mathjax-full/js/adaptors/liteAdaptor.js");
  const { RegisterHTMLHandler } = load("mathjax-full/js/handlers/html.js");
  const { SerializedMmlVisitor } = load("mathjax-full/js/core/MmlTree/SerializedMmlVisitor.js");
  const { STATE } = load("mathjax-full/js/core/MathItem.js");
  for (const name of ["base", "ams", "newcommand", "boldsymbol", "color"]) {
    load(`mathjax-full/js/input/tex/${name}/${name[0].toUpperCase() + name.slice(1)}Configuration.js`);
  }
  RegisterHTMLHandler(liteAdaptor());
  // what a page has without \require; an undefined command is an error, not red text
  const packages = ["base", "ams", "newcommand", "boldsymbol", "color"];
  const formatError = (_, error) => { throw error; };
  const page = mathjax.document("", { InputJax: new TeX({ packages, formatError }) });
  const visitor = new SerializedMmlVisitor();
  return (formula) => {
    const tree = page.convert(formula, { display: true, end: STATE.CONVERT });
    if (visitor.visitTree(tree).includes("<merror")) throw new Error("merror in the output");
  };
}

const accept = { katex, mathjax }[tool]();
const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = formulas.map((formula) => {
  try {
    accept(formula);
    return null;
  } catch (error) {
    return String(error.message || error);
  }
});
process.stdout.write(JSON.stringify(answers));
