"""What the inventory and the configuration say, as documents for people: nothing in them is written by hand twice.

`notice` is the public privacy notice, `data_map`, `record`, `retention` and `cookies` are for data protection officers,
`check` reads the configuration of one server. `python -m pymeet.privacy.documents` renews the pages under docs/.
"""
