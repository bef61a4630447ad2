"""Addresses of the counter. No number of a person ever stands in one."""

from django.urls import path

from yikatong.portals.counter.views import boxes, cases, casework, desk, holder, joint, reading, stock

urlpatterns = [
    path("", desk.workbench, name="counter"),
    path("find", desk.find, name="counter-find"),
    path("card-auth", reading.card_auth, name="counter-card-auth"),
    path("register", desk.register, name="counter-register"),
    path("check", desk.to_check, name="counter-check"),
    path("progress", cases.progress, name="counter-progress"),
    path("holders/<uuid:holder_id>/", holder.overview, name="counter-holder"),
    path("holders/<uuid:holder_id>/reveal", holder.reveal, name="counter-reveal"),
    path("holders/<uuid:holder_id>/collect", holder.collect, name="counter-collect"),
    path("holders/<uuid:holder_id>/veteran", joint.veteran, name="counter-joint-veteran"),
    path("holders/<uuid:holder_id>/<slug:key>", holder.matter, name="counter-matter"),
    path("joint", joint.index, name="counter-joint"),
    path("joint/newborn", joint.newborn, name="counter-joint-newborn"),
    path("joint/<str:joint_number>/", joint.matter, name="counter-joint-matter"),
    path("joint/<str:joint_number>/receipt", joint.receipt, name="counter-joint-receipt"),
    path("joint/<str:joint_number>/withdraw", joint.withdraw, name="counter-joint-withdraw"),
    path("joint/<str:joint_number>/<slug:key>/withdraw", joint.withdraw, name="counter-joint-part-withdraw"),
    path("joint/<str:joint_number>/<slug:key>/correct", joint.correct, name="counter-joint-correct"),
    path("joint/<str:joint_number>/<slug:key>/order", joint.order, name="counter-joint-order"),
    path("overdue", casework.overdue, name="counter-overdue"),
    path("boxes", boxes.index, name="counter-boxes"),
    path("boxes/<str:box>", boxes.contents, name="counter-box"),
    path("stock", stock.page, name="counter-stock"),
    path("stock/jobs/<uuid:job_id>/spoil", stock.spoil_job, name="counter-stock-spoil"),
    path("cases/<str:number>/print", stock.issue, name="counter-case-print"),
    path("cases/<str:number>/", cases.case, name="counter-case"),
    path("cases/<str:number>/ask", casework.ask, name="counter-case-ask"),
    path("cases/<str:number>/correct", casework.correct, name="counter-case-correct"),
    path("cases/<str:number>/fee", casework.fee, name="counter-case-fee"),
    path("cases/<str:number>/waive", casework.waive, name="counter-case-waive"),
    path("cases/<str:number>/order", casework.order, name="counter-case-order"),
    path("cases/<str:number>/receipt", cases.receipt, name="counter-receipt"),
    path("cases/<str:number>/check", cases.check, name="counter-case-check"),
    path("cases/<str:number>/reject", cases.reject, name="counter-case-reject"),
    path("cases/<str:number>/retry", cases.retry, name="counter-case-retry"),
    path("cases/<str:number>/withdraw", cases.withdraw, name="counter-case-withdraw"),
]
