"""What a role may do. Grammar: `resource:action`."""

from enum import StrEnum
from uuid import UUID

from yikatong.core.actor import Actor, Role
from yikatong.core.errors import Forbidden, NotFound


class Permission(StrEnum):
    HOLDER_FIND = "holder:find"
    HOLDER_REGISTER = "holder:register"
    HOLDER_REVEAL = "holder:reveal"
    HOLDER_CORRECT = "holder:correct"  # undo a death, merge and part records, settle differences
    CARD_APPLY = "card:apply"
    CARD_CHECK = "card:check"
    CARD_HAND_OVER = "card:hand_over"
    CARD_LOSS = "card:loss"
    CARD_REPLACE = "card:replace"
    CARD_CANCEL = "card:cancel"
    CASE_OVERSEE = "case:oversee"
    ROSTER_IMPORT = "roster:import"
    BATCH_PRODUCE = "batch:produce"
    BANK_MANAGE = "bank:manage"
    OUTLET_KEEP = "outlet:keep"  # what an outlet offers, when it is open, its queue machine's key
    TERMINAL_MANAGE = "terminal:manage"
    KEY_ROTATE = "key:rotate"
    STAFF_MANAGE = "staff:manage"
    BOARD_SEE = "board:see"
    AUDIT_READ = "audit:read"


_COUNTER = frozenset(
    {
        Permission.HOLDER_FIND,
        Permission.HOLDER_REGISTER,
        Permission.HOLDER_REVEAL,
        Permission.CARD_APPLY,
        Permission.CARD_CHECK,
        Permission.CARD_HAND_OVER,
        Permission.CARD_LOSS,
        Permission.CARD_REPLACE,
        Permission.CARD_CANCEL,
    },
)

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.HOLDER: frozenset({Permission.CARD_APPLY, Permission.CARD_LOSS, Permission.CARD_REPLACE}),
    Role.CLERK: _COUNTER,
    # A bank's outlet handles card cases under its agreement, and sees no more than these need (Guangdong art. 12).
    Role.BANK_CLERK: frozenset(
        {
            Permission.HOLDER_FIND,
            Permission.CARD_APPLY,
            Permission.CARD_HAND_OVER,
            Permission.CARD_LOSS,
            Permission.CARD_REPLACE,
        }
    ),
    Role.SUPERVISOR: _COUNTER
    | {
        Permission.CASE_OVERSEE,
        Permission.HOLDER_CORRECT,
        Permission.ROSTER_IMPORT,
        Permission.BATCH_PRODUCE,
        Permission.BANK_MANAGE,
        Permission.OUTLET_KEEP,
        Permission.BOARD_SEE,
    },
    Role.OPERATOR: frozenset({Permission.TERMINAL_MANAGE, Permission.BOARD_SEE}),
    Role.LEADER: frozenset({Permission.BOARD_SEE}),
    Role.AUDITOR: frozenset({Permission.AUDIT_READ, Permission.BOARD_SEE}),
    # Three separate roles (GB/T 22239): the administrator runs the system but handles no one's card.
    Role.ADMIN: frozenset(
        {Permission.TERMINAL_MANAGE, Permission.KEY_ROTATE, Permission.STAFF_MANAGE, Permission.BOARD_SEE}
    ),
    Role.SYSTEM: frozenset(Permission),
}


def may(actor: Actor, permission: Permission) -> bool:
    return permission in GRANTS[actor.role]


def require(actor: Actor, permission: Permission) -> None:
    """Raise Forbidden unless the actor's role has the permission."""
    if not may(actor, permission):
        raise Forbidden(permission=str(permission))


def require_self(actor: Actor, holder_id: UUID) -> None:
    """Raise unless the actor is that holder, acts for him, or is the platform itself."""
    if actor.role is Role.SYSTEM:
        return
    if actor.role is not Role.HOLDER:
        raise Forbidden
    if holder_id not in {actor.id, actor.for_holder}:
        raise NotFound
