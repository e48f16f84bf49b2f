"""Passwords that everybody tries first, in lower case and without digits and signs at their end.

Of the lists of passwords that were found in the open (such as those that NIST SP 800-63B-4, section
3.1.1.2, asks to be held against): those that are long enough, and what people make of their place.
"""

_WORDS = """
1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc access administrator adobe123 adminadmin administrador
asdfasdf asdfghjk asdfghjkl baseball basketball blink182 butterfly changeme changemenow
chocolate computer correcthorsebatterystaple dragonball elephant facebook football football1
girlfriend hello123 helloworld iloveyou iloveyouforever internet jennifer jessica1 jordan23
letmein letmeinnow liverpool loveme123 manchester master123 mercedes metallica michael1 michelle
midnight monkey123 mustang1 mypassword ncc1701d newpassword nothing1 passphrase passw0rd
password passwordpassword passwort passwortpasswort pass1234 pokemon1 postern posternpostern
princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc qwer1234 qwerasdf qwertyui qwertyuiop
qwertzuiop qwertyqwerty samsung1 secret secretsecret september shadow123 snowball spiderman
starwars starwars1 summer sunshine superman superuser swordfish test1234 testtest
thisisapassword trustno1 welcome welcomewelcome whatever willkommen winter yankees1 zaq12wsx
zxcvbnm zxcvbnmzxcvbnm
"""
COMMON = frozenset(_WORDS.split())
