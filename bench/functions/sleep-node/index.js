exports.handler = async (event) => {
  await new Promise((done) => setTimeout(done, event.ms));
  return event;
};
