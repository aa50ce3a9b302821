"""Amazon EC2: one account, in all its regions.

connection     boto3's clients, a region each              polling      all instances of all regions
credentials    profiles, or an access key                  create       once, and nothing left over
errors         Amazon's refusals in words                  console      the serial port's output
instance_read  an instance as EC2 describes it             permissions  what an account may do
live_catalogue what the account can choose from            provider     all of it as a provider
"""
