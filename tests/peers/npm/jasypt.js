// The npm package jasypt as a peer. Arguments: encrypt or decrypt, and the password; text on standard input.
const [verb, password] = process.argv.slice(2);
const Jasypt = require("jasypt");
const jasypt = new Jasypt();
jasypt.setPassword(password);
process.stdout.write(jasypt[verb](require("fs").readFileSync(0, "utf-8")));
