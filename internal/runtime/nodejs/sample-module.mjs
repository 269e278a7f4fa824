// The same as sample.js, as an ES module.
export const handler = async (event) => event;
