// Validates the OpenAPI document named on the command line: its schema, and that every reference leads somewhere.
import SwaggerParser from "@apidevtools/swagger-parser";

const api = await SwaggerParser.validate(process.argv[2]);
console.log(`valid: OpenAPI ${api.openapi}, ${Object.keys(api.paths).length} paths`);
