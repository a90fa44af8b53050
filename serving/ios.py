"""The routes for Apple's phones: filter a message, report one, and which apps may ask.

The system itself sends these requests for an app's extension and carries no header of the app's, so
the key stands in the address.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from data.store import Key
from serving.answers import FeedbackAnswer
from serving.apple import (
    AppSiteAssociation,
    AppsOut,
    FilterAnswer,
    FilterRequest,
    ReportRequest,
    placement,
)
from serving.auth import filter_key
from serving.bodies import body_of
from serving.openapi import body_docs, problems
from serving.problems import Problem
from serving.routes import take_feedback
from serving.service import TheService

router = APIRouter()


@router.post(
    "/ios/filter/{token}",
    dependencies=[Depends(filter_key)],
    responses=problems(408, 413, 415, 503),
    openapi_extra=body_docs(FilterRequest),
)
async def ios_filter(
    service: TheService, body: Annotated[FilterRequest, Depends(body_of(FilterRequest))]
) -> FilterAnswer:
    """Where an iPhone puts a message from an unknown sender. Nothing is stored or logged.

    The system posts here for `ILMessageFilterExtension`'s `deferQueryRequestToNetwork`. The
    extension takes every problem for `none`, as well as a `sub_action` that it did not declare. The
    token is a key with the scope `filter` alone.
    """
    place = placement(await service.classify(body.conversation()))
    return FilterAnswer(action=place.action, sub_action=place.sub_action)


@router.post(
    "/ios/report/{token}",
    status_code=202,
    responses=problems(408, 413, 415, 503),
    openapi_extra=body_docs(ReportRequest),
)
async def ios_report(
    service: TheService,
    key: Annotated[Key, Depends(filter_key)],
    body: Annotated[ReportRequest, Depends(body_of(ReportRequest))],
) -> FeedbackAnswer:
    """A message that somebody reports from an iPhone; it waits for an annotator like any feedback.

    Stored only with `consent: true`, after what identifies a victim is masked. `_version` and `app`
    are Apple's. The name `userInfo` is taken from Apple's `ILClassificationResponse.userInfo`; what it
    holds is ours. This has not been tried on a phone.
    """
    report = body.report
    return await take_feedback(service, report, client=key.name, idempotency_key=report.id)


@router.get("/.well-known/apple-app-site-association", responses={404: problems(404)[404]})
async def apple_app_site_association(request: Request) -> AppSiteAssociation:
    """The apps of `CANHGIAC_APPLE_APPS`; Apple's servers fetch this, over HTTPS and without redirects."""
    named: tuple[str, ...] = request.app.state.apple_apps
    if not named:
        raise Problem("not-found", "no apps are named here; set CANHGIAC_APPLE_APPS")
    apps = AppsOut(apps=list(named))
    return AppSiteAssociation(messagefilter=apps, classificationreport=apps)
