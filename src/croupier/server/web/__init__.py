"""The page that browsers load, as it was built; without HTTP.

web/ ──(npm run build)──► web/dist ──(wheel)──► croupier/web_page        built.py   where it lies
                              │
                            site.py      read whole, once: every file by its address, with its tag and its type
                              │
                            index.py     index.html, with a nonce of its own in every answer
                            policy.py    what the browser may do with it
"""
