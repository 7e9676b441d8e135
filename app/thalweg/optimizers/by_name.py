"""A field that takes an entry of a catalogue, by name or as an object with its name and parameters."""

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from thalweg.errors import InvalidInput, Remedy
from thalweg.optimizers.base import Params


class ByName:
    """Makes a pydantic field of type `base` choose among the entries of a catalogue.

    A tagged union would do, but it puts the tag into the path of every error and suggests no name.

    Args:
        base: What all entries derive from.
        kind: What an entry is called in a sentence.
        listed: Returns the entries; not asked before a value is validated or a schema made.
        refused: Names that the catalogue leaves out on purpose, and why.
    """

    def __init__(
        self,
        base: type[Params],
        kind: str,
        listed: Callable[[], Sequence[type[Params]]],
        refused: Mapping[str, str],
    ) -> None:
        self.base = base
        self.kind = kind
        self.listed = listed
        self.refused = refused

    def entries(self) -> dict[str, type[Params]]:
        """Return the entries by name, in the catalogue's order."""
        return {cls.model_fields["name"].default: cls for cls in self.listed()}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        entries = self.entries()
        # The union is for OpenAPI; the name alone decides which member a value is.
        shown: list[CoreSchema | tuple[CoreSchema, str]] = [
            core_schema.literal_schema(list(entries)),
            *map(handler.generate_schema, self._shown(entries)),
        ]
        return core_schema.no_info_wrap_validator_function(
            lambda value, _: self.pick(value),
            core_schema.union_schema(shown),
            serialization=core_schema.simple_ser_schema("any"),
        )

    def _shown(self, entries: Mapping[str, type[Params]]) -> list[type[BaseModel]]:
        """Return the models of a schema: one for each entry, and one for all that are shown in brief."""
        brief = tuple(name for name, cls in entries.items() if cls.brief)
        whole: list[type[BaseModel]] = [cls for cls in entries.values() if not cls.brief]
        return [*whole, self._in_brief(brief)] if brief else whole

    def _in_brief(self, names: tuple[str, ...]) -> type[BaseModel]:
        fields: dict[str, Any] = {"name": Literal[names]}
        return create_model(
            f"Other{self.kind.capitalize()}",
            __config__=ConfigDict(extra="allow"),
            __doc__=f"One of many more; the list of {self.kind}s has the parameters of each.",
            **fields,
        )

    def pick(self, value: Any) -> Params:
        """Return the entry that `value` names, with its parameters.

        Raises:
            InvalidInput: There is no such entry.
            pydantic.ValidationError: The entry does not take these parameters.
        """
        if isinstance(value, self.base):
            return value
        if isinstance(value, str):
            return self._class(value).model_validate({"name": value})
        if not isinstance(value, Mapping):
            raise InvalidInput(f'give the {self.kind} by name, or as an object {{"name": ...}}')
        if not isinstance(name := value.get("name"), str):
            problem = "must be a string" if "name" in value else "is missing"
            raise InvalidInput(f"the name of the {self.kind} {problem}", "name", remedy=self._list)
        return self._class(name, "name").model_validate(value)

    def _class(self, name: str, *path: str) -> type[Params]:
        entries = self.entries()
        if name in entries:
            return entries[name]
        if name in self.refused:
            raise InvalidInput(f"{name} cannot be used: {self.refused[name]}", *path)
        close = get_close_matches(name[:50].lower(), entries)
        guess = f"; did you mean {' or '.join(close)}?" if close else ""
        raise InvalidInput(f"there is no {self.kind} {json.dumps(name[:50])}{guess}", *path, remedy=self._list)

    @property
    def _list(self) -> Remedy:
        return Remedy(f"{self.kind}s")
