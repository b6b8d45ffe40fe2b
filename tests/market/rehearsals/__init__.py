"""What the parties of a mechanism have, and what each gains where one process plays all of them."""
