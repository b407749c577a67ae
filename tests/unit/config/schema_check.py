"""Judges the printed JSON Schema by an implementation of JSON Schema: it is one, takes every good fixture, and refuses
the bad ones whose mistake a schema can see. Usage: schema_check.py PRINT_SCHEMA"""

import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

HERE = pathlib.Path(__file__).parent
# Bad fixtures, each with a mistake that a schema can see.
SEEN = ["unknown_key", "missing_key", "missing_transactions", "no_value", "wrong_type", "wrong_number", "not_a_choice",
        "not_one_action", "kind_not_check", "kind_not_watch", "unknown_unit", "missing_unit", "secret_in_clear",
        "secret_twice", "too_few_entries", "not_a_map", "out_of_range", "empty_text", "bad_address", "bad_json_path"]


class Loader(yaml.SafeLoader):
    """YAML as slosonde and editors read it: `yes` and `2001-01-01` are texts."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("int", "float", "null")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def main():
    schema = json.loads(subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    validator = jsonschema.Draft202012Validator(schema)

    good = sorted(HERE.glob("good/*.yaml"))
    assert good
    for path in good:
        errors = [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in
                  validator.iter_errors(yaml.load(path.read_text(encoding="utf-8"), Loader))]
        assert not errors, f"{path.name} is good, and the schema refuses it: {errors}"
    for name in SEEN:
        document = yaml.load((HERE / "bad" / f"{name}.yaml").read_text(encoding="utf-8"), Loader)
        assert list(validator.iter_errors(document)), f"the schema sees nothing wrong with {name}.yaml"

    text = json.dumps(schema)
    properties = schema["properties"]
    assert properties["probe"]["properties"]["grace"]["default"] == "10s"
    assert "key_file" in properties["probe"]["properties"] and "how" in text.lower()
    assert properties["slos"]["items"]["properties"]["min_bad"]["default"] == 2
    assert all("description" in value for value in properties.values())
    for secret in ("hush-", "0123456789"):
        assert secret not in text
    print(f"the schema is valid, takes {len(good)} good files and refuses {len(SEEN)} bad ones")


main()
