"""A validator for the part of JSON Schema (draft 2020-12) that this project's schemas use, on the standard library alone. A keyword that it does not know is an error: nothing is
passed over in silence."""
import re

NOTES = {"$schema", "$id", "$defs", "title", "description"}
TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "null": lambda v: v is None,
}


def errors(value, schema, root, where="$"):
    """Yields what is wrong, each with its place."""
    if schema is False:
        yield f"{where}: nothing may stand here"
        return
    for key, arg in schema.items():
        if key in NOTES:
            continue
        check = KEYWORDS.get(key)
        if check is None:
            yield f"{where}: keyword {key} of the schema is not known"
            continue
        yield from check(value, arg, schema, root, where)


def _ref(value, arg, schema, root, where):
    target = root
    for part in arg.removeprefix("#/").split("/"):
        target = target[part]
    yield from errors(value, target, root, where)


def _type(value, arg, schema, root, where):
    if not TYPES[arg](value):
        yield f"{where}: {value!r:.60} is no {arg}"


def _any_of(value, arg, schema, root, where):
    if all(any(True for _ in errors(value, option, root, where)) for option in arg):
        yield f"{where}: {value!r:.60} fits none of the alternatives"


def _properties(value, arg, schema, root, where):
    for name in arg.keys() & value.keys() if isinstance(value, dict) else ():
        yield from errors(value[name], arg[name], root, f"{where}.{name}")


def _additional(value, arg, schema, root, where):
    for name in value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ():
        yield from errors(value[name], arg, root, f"{where}.{name}")


def _required(value, arg, schema, root, where):
    for name in arg if isinstance(value, dict) else ():
        if name not in value:
            yield f"{where}: {name} is missing"


def _prefix_items(value, arg, schema, root, where):
    for i, (item, item_schema) in enumerate(zip(value, arg)) if isinstance(value, list) else ():
        yield from errors(item, item_schema, root, f"{where}[{i}]")


def _items(value, arg, schema, root, where):
    start = len(schema.get("prefixItems", ()))
    for i, item in enumerate(value[start:], start) if isinstance(value, list) else ():
        yield from errors(item, arg, root, f"{where}[{i}]")


def _simple(name, fits, wrong):
    def check(value, arg, schema, root, where):
        if fits(value) and wrong(value, arg):
            yield f"{where}: {value!r:.60} against {name} {arg!r:.60}"
    return check


def _number(v):
    return TYPES["integer"](v)


KEYWORDS = {
    "$ref": _ref, "type": _type, "anyOf": _any_of, "properties": _properties, "additionalProperties": _additional, "required": _required,
    "prefixItems": _prefix_items, "items": _items,
    "enum": _simple("enum", lambda v: True, lambda v, a: v not in a),
    "const": _simple("const", lambda v: True, lambda v, a: v != a),
    "pattern": _simple("pattern", TYPES["string"], lambda v, a: not re.search(a, v)),
    "maxLength": _simple("maxLength", TYPES["string"], lambda v, a: len(v) > a),
    "minimum": _simple("minimum", _number, lambda v, a: v < a),
    "maximum": _simple("maximum", _number, lambda v, a: v > a),
    "minItems": _simple("minItems", TYPES["array"], lambda v, a: len(v) < a),
    "maxItems": _simple("maxItems", TYPES["array"], lambda v, a: len(v) > a),
}
