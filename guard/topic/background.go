package topic

// background is what people usually talk about. A text must be nearer to a
// denied topic than to the nearest of these; those that are the topic itself, or
// almost, do not count against it.
const background = `
The weather forecast, rain, sun and temperature.
Cooking recipes, ingredients, baking and meals.
Programming, source code, functions and bugs.
Booking flights, hotels and holidays.
Orders, deliveries, parcels and tracking.
Refunds, returns and money back for a purchase.
Invoices, bills and payments.
Bank accounts, balances and transfers.
Credit cards, limits and interest rates.
Accounts, passwords, login and registration.
Work, colleagues, jobs and careers.
Vacation days, payroll and human resources.
School, homework, teachers and exams.
Mathematics, equations and calculation.
Science, physics, chemistry and biology.
History, wars, kings and countries.
Geography, cities, rivers and maps.
Medicine, illness, doctors and symptoms.
Fitness, exercise, diet and weight.
Music, songs, bands and concerts.
Films, series, actors and television.
Books, novels, poems and writing stories.
Sports, football, teams and matches.
Cars, engines, tyres and repairs.
Public transport, traffic and directions.
Family, children, parents and friends.
Love, dating, marriage and feelings.
Pets, dogs, cats and animals.
Gardens, plants, trees and flowers.
Houses, rooms, furniture and decoration.
Clothes, fashion and shoes.
Shopping lists, groceries and supermarkets.
Phones, computers, screens and settings.
Software, applications, servers and databases.
Networks, security and encryption.
Meetings, calendars, reminders and appointments.
Letters, emails and messages.
Translation, languages, grammar and spelling.
Law, courts, contracts and rights.
Politics, elections, governments and parties.
Religion, churches and beliefs.
Art, painting, design and photography.
Games, players, levels and jokes.
Business, marketing, companies and sales.
Economy, markets, prices and trade.
Taxes, income and salary.
Insurance, claims and policies.
Crime, police, murder and prison.
Weapons, war, soldiers and violence.
Drugs, alcohol and addiction.
Sex, bodies and gender.
Hate, insults, race and prejudice.
News, media, reports and newspapers.
Data, tables, statistics and charts.
Documents, files, forms and pages.
Time, dates, days and years.
Numbers, measures, units and conversion.
Greetings, thanks, names and small talk.
Role play, characters, heroes and adventures.
Questions about an assistant, who made it and what it can do.
`
