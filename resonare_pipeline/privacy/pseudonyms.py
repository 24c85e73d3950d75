"""First names that any person may bear, whatever their sex, from many languages.

The order decides who gets which, so names are only ever added before the reserve. No two fold to
the same word.
"""

PSEUDONYMS = (
    *("Robin", "Sasha", "Noor", "Kim", "Alexis", "Akira", "Deniz", "Amari", "Ariel", "Tenzin"),
    *("Jamie", "Zhenya", "Dominique", "Yuki", "Andrea", "Nur", "Charlie", "Kiran", "Sam", "Tal"),
    *("Morgan", "Valya", "Camille", "Hikaru", "Guadalupe", "Iman", "Quinn", "Asha", "Toni", "Ezra"),
    *("Avery", "Nikita", "Claude", "Rin", "Trinidad", "Nour", "Rowan", "Sunny", "Luca", "Omer"),
    *("Casey", "Zhanyl", "Maxime", "Makoto", "Cruz", "Shams", "Riley", "Jaya", "Sascha", "Lior"),
    *("Taylor", "Slavka", "Frédérique", "Nao", "Jael", "Safa", "Skyler", "Kamal", "Nikola", "Noa"),
    *("Jordan", "Vanya", "Pascale", "Haru", "Ximeno", "Jude", "Parker", "Indra", "Elia", "Shai"),
    *("Emerson", "Oleska", "Lou", "Minato", "Zuri", "Aziz", "Reese", "Chandra", "Bente", "Yuval"),
    *(
        "Finley",
        "Mirko",
        "Stéphane",
        "Tsubasa",
        "Ayodele",
        "Ihsan",
        "Harper",
        "Devi",
        "Inge",
        "Gal",
    ),
    *("Hayden", "Jin", "Eun", "Min", "Xiang", "Linh", "Thanh", "Sothy", "Arun", "Dara"),
    *("Kendall", "Themba", "Lerato", "Thabo", "Chidi", "Femi", "Imani", "Jabari", "Sefu", "Tumelo"),
    *("Logan", "Manaia", "Kai", "Leilani", "Tui", "Ariki", "Sefa", "Talia", "Malu", "Anuhea"),
)
RESERVE = (
    *(
        "Blake",
        "Remy",
        "Sloane",
        "Marlowe",
        "Ellis",
        "Teagan",
        "Arden",
        "Lennox",
        "Merle",
        "Ainsley",
    ),
    *("Beck", "Corin", "Darcy", "Emlyn", "Fraser", "Garnet", "Halston", "Isa", "Juno", "Keely"),
)
"""Names for people whose own pseudonym is borne by a real person."""
