"""The intrinsic functions and pseudo parameters that the template uses.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.errors import DeployError


class Resolver:
    """Resolves values of one template.

    `ref` and `get_att` give what resources became, `import_value` other stacks' exports,
    `stack_output` any output by stack and key;
    `mappings` is the template's section, `pseudo` holds `AWS::Region` and the like.
    """

    def __init__(
        self,
        mappings: Mapping[str, Any],
        pseudo: Mapping[str, str],
        ref: Callable[[str], str],
        get_att: Callable[[str, str], Any],
        import_value: Callable[[str], str],
        stack_output: Callable[[str, str], str],
    ) -> None:
        self._mappings = mappings
        self._pseudo = pseudo
        self._ref_resource = ref
        self._output = stack_output
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": lambda argument: get_att(*argument),
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Select": self._select,
            "Fn::GetAZs": lambda region: [f"{self._region(region)}{zone}" for zone in "abcdef"],
            "Fn::ImportValue": lambda argument: import_value(self.resolve(argument)),
            "Fn::GetStackOutput": self._stack_output,
        }

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic replaced. Raises `DeployError` for one not known here."""
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise DeployError(f"{name} is not supported by the laptop cloud")
        return {k: self.resolve(v) for k, v in value.items()}

    def _ref(self, name: str) -> Any:
        if name.startswith("AWS::"):
            if name not in self._pseudo:
                raise DeployError(f"Ref to {name} is not supported by the laptop cloud")
            return self._pseudo[name]
        return self._ref_resource(name)

    def _sub(self, argument: Any) -> str:
        if not isinstance(argument, str):
            raise DeployError("Fn::Sub with variables of its own is not supported")
        return re.sub(r"\$\{([^}]*)\}", lambda match: self._ref(match.group(1)), argument)

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return separator.join(str(part) for part in self.resolve(parts))

    def _select(self, argument: Any) -> Any:
        index, values = self.resolve(argument)
        return values[int(index)]

    def _stack_output(self, argument: Any) -> str:
        given = self.resolve(argument)
        if set(given) != {"StackName", "OutputName"}:
            raise DeployError("Fn::GetStackOutput with a region or role is not supported")
        return self._output(given["StackName"], given["OutputName"])

    def _region(self, region: Any) -> str:
        return self.resolve(region) or self._pseudo["AWS::Region"]

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = self.resolve(argument)
        try:
            return self._mappings[name][first][second]
        except KeyError as error:
            raise DeployError(f"mapping {name} has no entry {first}, {second}") from error
