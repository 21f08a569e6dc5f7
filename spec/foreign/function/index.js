// What the CDK uploads as an asset.
exports.handler = async () => 1;
