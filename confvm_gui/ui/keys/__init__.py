"""The page for keys that wrap the keys of disks: what there are, what they hold, a new one, and what can be done.

page         the list over all stores and the key that is selected
detail       one key: its facts, whom it holds, and what can be done about it
ending       scheduling a key's destruction, with the names of those whose data would be lost
create_form  a new key, in any store; the wizard shows it as well
places_form  where keys are looked for
chooser      the key of a new instance's disk, in the wizard
pin_desk     asks for the PIN of a token, for whichever thread needs it
pin_dialog   the masked field for it
"""
