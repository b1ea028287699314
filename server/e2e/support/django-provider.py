"""The OpenID provider of django-oauth-toolkit, with one client and one user, on a SQLite database.

Usage: django-provider.py PORT DATABASE REDIRECT_URI CLIENT_SECRET < RSA_PRIVATE_KEY
"""

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings

port, database, redirect_uri, client_secret = sys.argv[1:]

settings.configure(
    ALLOWED_HOSTS=["localhost"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    # CommonMiddleware redirects addresses without a slash at the end to those with one.
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": sys.stdin.read(),
        "PKCE_REQUIRED": True,
        "SCOPES": {"openid": "OpenID", "profile": "Profile", "email": "E-mail"},
        # Within the lead time of a renewal: the next read refreshes the tokens.
        "ACCESS_TOKEN_EXPIRE_SECONDS": 30,
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="for tests only",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import authenticate, login
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.shortcuts import redirect
from django.urls import include, path
from oauth2_provider.models import get_application_model
from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    def get_additional_claims(self, request):
        return {"name": request.user.first_name, "email": request.user.email}


settings.OAUTH2_PROVIDER["OAUTH2_VALIDATOR_CLASS"] = Validator


def log_in(request):
    form = {name: request.POST[name] for name in ("username", "password")}
    login(request, authenticate(request, **form))
    return redirect(request.GET["next"])


urlpatterns = [
    path("accounts/login/", log_in),
    path("o/", include("oauth2_provider.urls")),
]

call_command("migrate", verbosity=0)
ada = User.objects.create_user("ada", "ada@example.test", "lovelace", first_name="Ada")
get_application_model().objects.create(
    client_id="app",
    client_secret=client_secret,
    client_type="confidential",
    authorization_grant_type="authorization-code",
    algorithm="RS256",
    redirect_uris=redirect_uri,
    skip_authorization=True,
    user=ada,
)


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


make_server("127.0.0.1", int(port), get_wsgi_application(), Server, Handler).serve_forever()
