exports.handler = (req, res) => res.json(req.body);
