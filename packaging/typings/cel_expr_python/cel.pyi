# What is used of cel-expr-python.

from collections.abc import Mapping
from typing import ClassVar

class Type:
    BOOL: ClassVar[Type]
    INT: ClassVar[Type]
    STRING: ClassVar[Type]
    @staticmethod
    def Map(key_type: Type, element_type: Type) -> Type: ...
    def name(self) -> str: ...

class Value:
    def value(self) -> object: ...

class Expression:
    def eval(self, *, data: Mapping[str, object] | None = ...) -> Value: ...
    def return_type(self) -> Type: ...

class Env:
    def compile(self, expression: str) -> Expression: ...

def NewEnv(*, variables: Mapping[str, Type] | None = ...) -> Env: ...
