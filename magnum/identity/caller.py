"""What only the caller can see: images, flavors, networks and keypairs, asked for with the caller's own token.

It happens inside the request and nowhere else: after it, a bay's life no longer depends on the caller. The token's
service catalogue says where to ask, so that there is no further call to Keystone. A service that the operator calls
absent (``[cloud] absent_services``) is not asked, and its things are taken as they are.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import quote

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import session as ksa_session
from keystoneauth1.identity.access import AccessInfoPlugin

from magnum.common import errors, ids
from magnum.common.context import RequestContext
from magnum.common.remembered import Remembered
from magnum.conf import CONF
from magnum.identity.guarded import guarded_session

#: Image properties: which distribution the image holds, and which driver it is made for.
OS_DISTRO = "os_distro"
DRIVER = "magnum_driver"

#: What reading a body ends in that is not the service's own, such as a proxy's page; novaclient trips over it.
_ODD_BODY = (ValueError, LookupError, TypeError, AttributeError)

T = TypeVar("T")

#: What callers' questions found a moment ago, by user, project and question.
_answers: Remembered[tuple[str | None, ...], Any] = Remembered(10_000)


@dataclass(frozen=True, slots=True)
class Image:
    """What we need to know of an image. ``driver`` is the one the image asks for, if any."""

    id: str
    os_distro: str
    driver: str | None


class Caller:
    """Questions to the cloud on behalf of one request.

    Every method takes ``field``, the place in the request that its errors point at. They raise InvalidField for what
    is not there, Conflict for a name that several things have, Forbidden where the cloud refuses the caller, and
    Unavailable where it does not answer.
    """

    def __init__(self, context: RequestContext) -> None:
        self._auth = _plain(context.token_auth)
        self._request_id = context.global_id
        self._who = (context.user_id, context.project_id)

    def image(self, ident: str, field: str) -> Image | None:
        """An image by id or name; None where there is no image service."""
        if _absent("image"):
            return None
        return self._once(("image", ident), lambda: self._image(ident, field))

    def check_flavor(self, ident: str, field: str) -> None:
        """A flavor by id or name."""
        if not _absent("compute"):
            self._once(("flavor", ident), lambda: self._check_flavor(ident, field))

    def public_key(self, keypair: str, field: str) -> str | None:
        """The public half of the caller's keypair; None where there is no compute service.

        An unknown keypair is NotFound, as clients expect (contract 1.5). It is asked for every time, because a new
        key may have an old one's name.
        """
        if _absent("compute"):
            return None
        from novaclient import exceptions as nova_exceptions

        with _asking_nova():
            try:
                key: str = self._nova().keypairs.get(quote(keypair, safe="")).public_key
            except nova_exceptions.NotFound as error:
                raise errors.NotFound(
                    f"Keypair {keypair!r} could not be found", field=field
                ) from error
        return key

    def check_external_network(self, ident: str, field: str) -> None:
        """A network with a way out, by id or name."""
        self._check_in_neutron("networks", "External network", ident, field, external=True)

    def check_network(self, ident: str, field: str) -> None:
        """A network by id or name."""
        self._check_in_neutron("networks", "Network", ident, field)

    def check_subnet(self, ident: str, field: str) -> None:
        """A subnet by id or name."""
        self._check_in_neutron("subnets", "Subnet", ident, field)

    def _once(self, what: tuple[str, ...], ask: Callable[[], T]) -> T:
        """The answer to a question, asked unless this caller did so a moment ago. What is not found is not kept."""
        key = (*self._who, *what)
        known = _answers.get(key)
        if known is None:
            known = ask()
            _answers.set(key, known, CONF.cloud.remember)
        return cast(T, known)

    def _image(self, ident: str, field: str) -> Image:
        with _asking("image"):
            found = self._images(ident)
        image = _only(found, "Image", ident, field)
        os_distro = image.get(OS_DISTRO)
        if not os_distro:
            raise errors.InvalidField(
                f"Image {ident!r} does not have the property {OS_DISTRO}", field=field
            )
        return Image(image["id"], os_distro, image.get(DRIVER) or None)

    def _check_flavor(self, ident: str, field: str) -> bool:
        with _asking_nova():
            if not self._has_flavor(ident):
                raise errors.InvalidField(f"Flavor {ident!r} could not be found", field=field)
        return True

    def _images(self, ident: str) -> list[dict[str, Any]]:
        glance = self._adapter("image", "v2")
        if ids.is_uuid(ident):
            try:
                return [glance.get(f"/images/{ident}").json()]
            except ksa_exceptions.NotFound:
                return []
        images: list[dict[str, Any]] = glance.get(
            "/images", params={"name": ident, "limit": 2}
        ).json()["images"]
        return images

    def _has_flavor(self, ident: str) -> bool:
        from novaclient import exceptions as nova_exceptions

        nova = self._nova()
        try:
            nova.flavors.get(quote(ident, safe=""))
        except nova_exceptions.NotFound:
            return any(flavor.name == ident for flavor in nova.flavors.list(detailed=False))
        return True

    def _check_in_neutron(
        self, collection: str, kind: str, ident: str, field: str, *, external: bool = False
    ) -> None:
        params = {"id" if ids.is_uuid(ident) else "name": ident, "fields": "id"}
        if external:
            params["router:external"] = "True"

        def ask() -> bool:
            with _asking("network"):
                answer = self._adapter("network", "v2.0").get(f"/{collection}", params=params)
                found = answer.json()[collection]
            _only(found, kind, ident, field)
            return True

        if not _absent("network"):
            self._once((kind, ident), ask)

    def _nova(self) -> Any:
        # Imported late: it takes a while, and most requests need none.
        from novaclient import client

        return client.Client(
            "2.1",
            session=_session(),
            auth=self._auth,
            endpoint_override=self._endpoint("compute"),
            region_name=CONF.cloud.region_name,
            timeout=CONF.cloud.timeout,
            global_request_id=self._request_id,
        )

    def _adapter(self, service: str, version: str) -> adapter.Adapter:
        base = self._endpoint(service).rstrip("/").removesuffix(f"/{version}")
        return adapter.Adapter(
            _session(),
            auth=self._auth,
            service_type=service,
            region_name=CONF.cloud.region_name,
            endpoint_override=f"{base}/{version}",
            connect_retries=1,
            global_request_id=self._request_id,
            user_agent="magnum",
        )

    def _endpoint(self, service: str) -> str:
        """Where a service is, by the catalogue in the token. Raises EndpointNotFound."""
        url: str | None = None
        if self._auth is not None:
            url = self._auth.get_endpoint(
                _session(),
                service_type=service,
                interface=CONF.cloud.endpoint_type,
                region_name=CONF.cloud.region_name,
                skip_discovery=True,
            )
        if url is None:
            raise ksa_exceptions.EndpointNotFound(f"no {service} service in the caller's catalogue")
        return url


@functools.cache
def _session() -> ksa_session.Session:
    """One session for all callers, for its connections; it has no identity of its own.

    A caller may have found a question that a service answers 500 to. That must not keep others from asking.
    """
    return guarded_session(CONF.cloud.timeout, broken_from=502)


def _plain(token_auth: Any) -> AccessInfoPlugin | None:
    """The caller's token alone. keystonemiddleware's plugin would add a token of the service, which costs a call."""
    return None if token_auth is None else AccessInfoPlugin(token_auth.get_access(_session()))


def _absent(service: str) -> bool:
    return service in CONF.cloud.absent_services


def _only(found: list[dict[str, Any]], kind: str, ident: str, field: str) -> dict[str, Any]:
    if not found:
        raise errors.InvalidField(f"{kind} {ident!r} could not be found", field=field)
    if len(found) > 1:
        raise errors.Conflict(f"Several of {kind} are named {ident!r}, use the id", field=field)
    return found[0]


@contextlib.contextmanager
def _asking(service: str) -> Iterator[None]:
    """Tell a service's troubles as ours are told."""
    try:
        yield
    except (ksa_exceptions.EndpointNotFound, ksa_exceptions.EmptyCatalog) as error:
        raise errors.Unavailable(
            f"The cloud has no {service} service that your token may use.",
            f"No endpoint: {error}. Where the cloud has no such service, put '{service}' into"
            " [cloud]/absent_services.",
        ) from error
    except ksa_exceptions.HttpError as error:
        raise _refused(service, error.http_status, error) from error
    except (ksa_exceptions.ClientException, *_ODD_BODY) as error:
        raise _silent(service, error) from error


@contextlib.contextmanager
def _asking_nova() -> Iterator[None]:
    from novaclient import exceptions as nova_exceptions

    with _asking("compute"):
        try:
            yield
        except nova_exceptions.ClientException as error:
            raise _refused("compute", error.code, error) from error


def _refused(service: str, status: int, error: Exception) -> errors.MagnumError:
    if status in (401, 403):
        return errors.Forbidden(f"The {service} service refuses your token.", str(error))
    return _silent(service, error)


def _silent(service: str, error: Exception) -> errors.Unavailable:
    return errors.Unavailable(
        f"The {service} service does not answer as it should. Try again later.",
        f"The {service} service, asked with a caller's token: {type(error).__name__}: {error}",
    )
