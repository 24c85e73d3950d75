"""Whether an endpoint can be reached at all, and takes the key and the model: else a run ends."""

from dataclasses import dataclass

from resonare_pipeline.completions.requests import Failure, Outcome
from resonare_pipeline.errors import StageError

UNREACHED = 16  # requests in a row that never came through: nobody is there
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's own words
OWN_CERTIFICATE = ", or name the file of a certificate of your own in SSL_CERT_FILE"


@dataclass(slots=True)
class Reach:
    """What a run's outcomes tell of its endpoint so far."""

    _outcomes: int = 0
    _unreached: int = 0
    _unreached_detail: str = ""
    _is_admitted: bool = False

    def note(self, outcome: Outcome) -> None:
        """Take one outcome into account.

        Raises:
            StageError: If it shows that every further request would fail.
        """
        self._is_admitted |= outcome.completion is not None and not outcome.cached
        self._outcomes += 1
        if outcome.failure is Failure.NETWORK:
            self._unreached += 1
            self._unreached_detail = outcome.detail
        if outcome.failure is Failure.UNKNOWN_MODEL and not self._is_admitted:
            raise StageError(
                outcome.detail,
                expected="a model that the endpoint serves",
                remedy="Set MODEL or completions.model, then run again",
            )
        if outcome.failure is Failure.UNAUTHORISED and not self._is_admitted:
            raise StageError(
                f"the endpoint refuses the key or the model: {outcome.detail}",
                expected="a key that may use this model",
                remedy="Check API_KEY, MODEL and BASE_URL, then give the same command again",
            )
        if self._unreached >= UNREACHED:
            self.require()

    def require(self) -> None:
        """Make sure that not every request so far has failed to get through.

        Raises:
            StageError: If it has.
        """
        if self._unreached and self._unreached == self._outcomes:
            own = OWN_CERTIFICATE if UNTRUSTED in self._unreached_detail else ""
            raise StageError(
                f"the endpoint cannot be reached: {self._unreached_detail}",
                remedy=f"Check BASE_URL{own}, then give the same command again",
            )
