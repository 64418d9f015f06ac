from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RejectionCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REJECTION_CODE_UNSPECIFIED: _ClassVar[RejectionCode]
    REJECTION_CODE_ALREADY_EXISTS: _ClassVar[RejectionCode]
    REJECTION_CODE_INVALID_ARGUMENT: _ClassVar[RejectionCode]

class Phase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PHASE_UNSPECIFIED: _ClassVar[Phase]
    PHASE_HEALTHY: _ClassVar[Phase]
    PHASE_HOBBLED: _ClassVar[Phase]
    PHASE_ADAPTATION: _ClassVar[Phase]
    PHASE_ADAPTED: _ClassVar[Phase]

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_COMPLETED: _ClassVar[Status]
    STATUS_FELL: _ClassVar[Status]
    STATUS_ABORTED: _ClassVar[Status]
REJECTION_CODE_UNSPECIFIED: RejectionCode
REJECTION_CODE_ALREADY_EXISTS: RejectionCode
REJECTION_CODE_INVALID_ARGUMENT: RejectionCode
PHASE_UNSPECIFIED: Phase
PHASE_HEALTHY: Phase
PHASE_HOBBLED: Phase
PHASE_ADAPTATION: Phase
PHASE_ADAPTED: Phase
STATUS_UNSPECIFIED: Status
STATUS_COMPLETED: Status
STATUS_FELL: Status
STATUS_ABORTED: Status

class StreamTrialsRequest(_message.Message):
    __slots__ = ("hello", "trial")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    trial: Trial
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., trial: _Optional[_Union[Trial, _Mapping]] = ...) -> None: ...

class StreamTrialsResponse(_message.Message):
    __slots__ = ("welcome", "ack", "rejection")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    REJECTION_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    ack: Ack
    rejection: Rejection
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., rejection: _Optional[_Union[Rejection, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("schema_version", "robot", "session", "policy_sha256")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    ROBOT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    POLICY_SHA256_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    robot: str
    session: str
    policy_sha256: str
    def __init__(self, schema_version: _Optional[int] = ..., robot: _Optional[str] = ..., session: _Optional[str] = ..., policy_sha256: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("schema_version",)
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    def __init__(self, schema_version: _Optional[int] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("trial",)
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    trial: int
    def __init__(self, trial: _Optional[int] = ...) -> None: ...

class Rejection(_message.Message):
    __slots__ = ("trial", "code", "reason")
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    trial: int
    code: RejectionCode
    reason: str
    def __init__(self, trial: _Optional[int] = ..., code: _Optional[_Union[RejectionCode, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ("robot", "session", "number", "payload")
    ROBOT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    robot: str
    session: str
    number: int
    payload: bytes
    def __init__(self, robot: _Optional[str] = ..., session: _Optional[str] = ..., number: _Optional[int] = ..., payload: _Optional[bytes] = ...) -> None: ...

class TrialPayload(_message.Message):
    __slots__ = ("phase", "status", "reason", "return_value", "return_source", "seed", "parameters", "candidate", "timings", "telemetry", "hobble", "events", "why")
    class TelemetryEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Array
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Array, _Mapping]] = ...) -> None: ...
    class EventsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETURN_VALUE_FIELD_NUMBER: _ClassVar[int]
    RETURN_SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    TELEMETRY_FIELD_NUMBER: _ClassVar[int]
    HOBBLE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    phase: Phase
    status: Status
    reason: str
    return_value: float
    return_source: str
    seed: int
    parameters: Array
    candidate: int
    timings: Timings
    telemetry: _containers.MessageMap[str, Array]
    hobble: str
    events: _containers.ScalarMap[str, int]
    why: str
    def __init__(self, phase: _Optional[_Union[Phase, str]] = ..., status: _Optional[_Union[Status, str]] = ..., reason: _Optional[str] = ..., return_value: _Optional[float] = ..., return_source: _Optional[str] = ..., seed: _Optional[int] = ..., parameters: _Optional[_Union[Array, _Mapping]] = ..., candidate: _Optional[int] = ..., timings: _Optional[_Union[Timings, _Mapping]] = ..., telemetry: _Optional[_Mapping[str, Array]] = ..., hobble: _Optional[str] = ..., events: _Optional[_Mapping[str, int]] = ..., why: _Optional[str] = ...) -> None: ...

class Timings(_message.Message):
    __slots__ = ("duration_s", "period_s", "missed_ticks")
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    MISSED_TICKS_FIELD_NUMBER: _ClassVar[int]
    duration_s: float
    period_s: float
    missed_ticks: int
    def __init__(self, duration_s: _Optional[float] = ..., period_s: _Optional[float] = ..., missed_ticks: _Optional[int] = ...) -> None: ...

class Array(_message.Message):
    __slots__ = ("dtype", "shape", "data")
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    dtype: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    data: bytes
    def __init__(self, dtype: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., data: _Optional[bytes] = ...) -> None: ...

class ListTrialsRequest(_message.Message):
    __slots__ = ("robot", "session")
    ROBOT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    robot: str
    session: str
    def __init__(self, robot: _Optional[str] = ..., session: _Optional[str] = ...) -> None: ...

class ListTrialsResponse(_message.Message):
    __slots__ = ("trial",)
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    trial: Trial
    def __init__(self, trial: _Optional[_Union[Trial, _Mapping]] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    def __init__(self, sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("robot", "session", "policy_sha256", "trials")
    ROBOT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    POLICY_SHA256_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    robot: str
    session: str
    policy_sha256: str
    trials: int
    def __init__(self, robot: _Optional[str] = ..., session: _Optional[str] = ..., policy_sha256: _Optional[str] = ..., trials: _Optional[int] = ...) -> None: ...

class WatchTrialsRequest(_message.Message):
    __slots__ = ("after_sequence",)
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    def __init__(self, after_sequence: _Optional[int] = ...) -> None: ...

class WatchTrialsResponse(_message.Message):
    __slots__ = ("sequence", "trial")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    trial: Trial
    def __init__(self, sequence: _Optional[int] = ..., trial: _Optional[_Union[Trial, _Mapping]] = ...) -> None: ...
