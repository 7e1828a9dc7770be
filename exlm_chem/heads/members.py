"""What heads that are made of heads share: how their members are described, kept and read."""

from __future__ import annotations

from dataclasses import asdict, replace

from exlm_chem.heads.arrays import Arrays, nested, unnested
from exlm_chem.heads.head import Head
from exlm_chem.heads.spec import HeadSpec


class HeadOfMembers(Head):
    """A head whose answer is made of those of its members, which are all that it keeps."""

    _members: list[Head]

    def described(self) -> HeadSpec:
        """See `Head`."""
        return replace(super().described(), members=[asdict(member.described()) for member in self._members])

    def arrays(self) -> Arrays:
        """See `Head`: those of all members."""
        found: Arrays = {}
        for number, member in enumerate(self._members):
            found |= nested(number, member.everything())
        return found

    def take(self, spec: HeadSpec, arrays: Arrays) -> None:
        """See `Head`."""
        from exlm_chem.heads.registry import restored_head

        super().take(spec, arrays)
        self._members = [restored_head(member, unnested(number, arrays)) for number, member in enumerate(spec.members)]

    def restore(self, arrays: Arrays) -> None:
        """See `Head`: everything is in the members."""
