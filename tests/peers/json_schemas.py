"""Checks values against the JSON Schemas of a folder (argument 1), with the package `jsonschema`.

Standard input: {"valid": [[schema, value], ...], "open": [...], "invalid": [...]}. Each valid value must keep its schema,
also when the schema allows no member that it does not describe; each open one the schema as it is; each invalid one must
break it. The valid values of a schema together must use every member it describes. Prints one line for each fault, and
exits 1 then.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

faults = []


def strict(schema):
    """The same schema, without members that it does not describe."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: value if key in ("const", "enum", "default") else strict(value) for key, value in schema.items()}
    # What stands in an `if` only tells cases apart.
    if "if" in schema:
        copy["if"] = schema["if"]
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        copy.setdefault("additionalProperties", False)
    return copy


def members(schema, place=""):
    """Every described member, by its place in the schema."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from members(item, f"{place}/{index}")
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key == "properties" and "type" in schema:
            for name, member in value.items():
                yield f"{place}/properties/{name}"
                yield from members(member, f"{place}/properties/{name}")
        elif key not in ("const", "enum", "default", "if", "then"):
            yield from members(value, f"{place}/{key}")


def used(root, schema, value, place, seen):
    """Notes the members of the schema that the value uses."""
    if "$ref" in schema:
        place = schema["$ref"].removeprefix("#")
        target = root
        for part in place.strip("/").split("/"):
            target = target[part]
        used(root, target, value, place, seen)
    for choice in ("anyOf", "oneOf"):
        for index, option in enumerate(schema.get(choice, [])):
            if Draft202012Validator({**option, "$defs": root.get("$defs", {})}).is_valid(value):
                used(root, option, value, f"{place}/{choice}/{index}", seen)
    if isinstance(value, dict):
        for name, member in schema.get("properties", {}).items():
            if name in value:
                seen.add(f"{place}/properties/{name}")
                used(root, member, value[name], f"{place}/properties/{name}", seen)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            used(root, schema["items"], item, f"{place}/items", seen)


schemas = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.schema.json")):
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    schemas[path.name.removesuffix(".schema.json")] = schema

cases = json.load(sys.stdin)
seen = {name: set() for name in schemas}
for name, value in cases["valid"]:
    for validator in (Draft202012Validator(schemas[name]), Draft202012Validator(strict(schemas[name]))):
        for error in validator.iter_errors(value):
            faults.append(f"{name}: a value that the crate takes breaks it at {error.json_path}: {error.message:.300}")
    used(schemas[name], schemas[name], value, "", seen[name])
for name, value in cases["open"]:
    for error in Draft202012Validator(schemas[name]).iter_errors(value):
        faults.append(f"{name}: a value that the crate takes breaks it at {error.json_path}: {error.message:.300}")
for name, value in cases["invalid"]:
    if Draft202012Validator(schemas[name]).is_valid(value):
        faults.append(f"{name}: takes what the crate refuses: {json.dumps(value):.300}")
for name, schema in schemas.items():
    for place in members(schema):
        if place not in seen[name]:
            faults.append(f"{name}: describes {place}, which no value has")
    if not any(broken == name for broken, _ in cases["invalid"]):
        faults.append(f"{name}: no broken value is tried")

print("\n".join(faults))
sys.exit(1 if faults else 0)
