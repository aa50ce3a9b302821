"""The page Guardrails: how the fleet stands, packs of rules, and emergency exceptions.

page             the three tabs and what stands above them
compliance_tab   counts, history, by rule, provider or label, down to the single instance; the report
history_chart    how many stood how over time
report_export    the report as HTML or PDF; `pdf_writer` prints it in a thread
packs_tab        packs shipped and own, where they are on; import, copy, sign, export, remove
pack_detail      one pack with its rules; `switch_form` turns it on once it was tested
pack_editor      a pack's text with what is wrong with it
exceptions_tab   rules that are not enforced for a while
instance_card    what the rules say of one instance, for its overview
"""
