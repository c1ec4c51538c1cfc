-- Who is not regular at the one snapshot, and why.
SELECT customer, reason FROM judged WHERE reason > 0
