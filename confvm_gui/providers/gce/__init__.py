"""Instances on Google Compute Engine, one project by one account.

`provider` is the seam's implementation; `connection` the way to the service, `credentials` who asks, `errors` the
service's refusals in the console's words; `instance_read` and `inventory` what is known of the instances, `polling` how
it is kept up; `create` and `operations` what is done with them, `console` their serial ports, `live_catalogue` what the
project offers, `permissions` what the account may do.

google-cloud-compute (the extra `gce`) takes a second to load: it is loaded with the first call, not with this package.
"""
